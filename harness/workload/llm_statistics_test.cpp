// SPDX-License-Identifier: Apache-2.0
// The attention that llm heads produce, against what they ask for and against the statistics of real models.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "harness/workload/llm.hpp"
#include "harness/workload/statistics.hpp"
#include "harness/workload/workload_testing.hpp"

namespace attnscope {
namespace {

using llm::Kind;
using nlohmann::json;

constexpr int kThreads = 2;

struct Measured {
  StatisticsSummary heavy;   // columns are the heavy tokens
  StatisticsSummary needle;  // columns are the needle
  std::vector<RowStatistics> rows;
};

Measured measure(const Shape& shape, const json& params, std::int64_t rows_per_head, std::uint64_t seed = 1) {
  const Problem problem = testing_::make("llm", shape, Phase::decode, params, seed, kThreads);
  const llm::Planted planted = llm::planted(shape, testing_::params_of("llm", params), seed);
  const auto with = [&](const std::vector<std::vector<std::int64_t>>& columns) {
    StatisticsOptions options;
    options.threads = kThreads;
    options.columns = [&](const Row& row) {
      return std::span<const std::int64_t>(columns[static_cast<std::size_t>(row.head / shape.group())]);
    };
    return measure_rows(problem.inputs(), rows_to_measure(shape, rows_per_head), options);
  };
  Measured measured;
  measured.rows = with(planted.heavy);
  measured.heavy = summarise(measured.rows);
  if (params.value("mix", "") == "retrieval") measured.needle = summarise(with(planted.needle));
  return measured;
}

struct Request {
  double sink, heavy, needle;
};

// The masses that a head of `kind` asks for when n keys are visible, from the table of kinds (README.md).
Request requested(Kind kind, double n) {
  const llm::Traits t = llm::traits_of(kind, false);
  const double odds = t.sink_mass / (1 - t.sink_mass) * std::pow(n / 32768, -t.sink_dilution);
  const double sink = odds / (1 + odds);
  const double needle = kind == Kind::retrieval ? std::min(.8 * (1 - sink), .35 * std::pow(n / 4096, -.2)) : 0;
  return {sink, (1 - sink - needle) * t.heavy_mass / (1 - t.sink_mass), needle};
}

// Masses are imposed in expectation over keys; rows fluctuate around that, and the mean of a share of a fluctuating sum
// lies below the share of its mean. Within .15, over 64 heads without jitter.
void expect_masses(const Shape& shape, Kind kind, std::int64_t rows_per_head) {
  SCOPED_TRACE(std::string{llm::to_string(kind)} + " at " + std::to_string(shape.kv_len));
  const Measured m = measure(shape, {{"mix", llm::to_string(kind)}, {"jitter", 0}}, rows_per_head);
  const Request request = requested(kind, static_cast<double>(shape.kv_len));
  EXPECT_NEAR(m.heavy.first_mass, request.sink, .15);
  EXPECT_NEAR(m.heavy.column_mass, request.heavy, .15);
  EXPECT_NEAR(m.needle.column_mass, request.needle, .15);
}

constexpr Kind kAllKinds[] = {Kind::sink, Kind::local, Kind::slash, Kind::vertical, Kind::retrieval, Kind::diffuse};

TEST(LlmMasses, EveryKindGetsTheMassesItAsksForAt4K) {
  for (const Kind kind : kAllKinds)
    expect_masses({.q_heads = 64, .kv_heads = 64, .head_dim = 128, .q_len = 256, .kv_len = 4096, .dtype = Dtype::f32},
                  kind, 4);
}

TEST(LlmMasses, EveryKindGetsTheMassesItAsksForAt32K) {
  for (const Kind kind : kAllKinds)
    expect_masses({.q_heads = 64, .kv_heads = 16, .head_dim = 128, .q_len = 512, .kv_len = 32768, .dtype = Dtype::f32},
                  kind, 2);
}

TEST(LlmMasses, HalfTheWidthKeepsTheMasses) {
  for (const Kind kind : kAllKinds)
    expect_masses({.q_heads = 64, .kv_heads = 64, .head_dim = 64, .q_len = 256, .kv_len = 4096, .dtype = Dtype::f32},
                  kind, 4);
}

// Reference values: a prototype of this construction, measured against published statistics of Llama-3.1-8B and others
// (README.md). Mean counts are carried by few heads: the prototype's have a standard error of 10 %, ours 15 % (between
// seeds); two standard deviations of the difference are 2 √(.10² + .15²) = .36. Token 0: published means are .38
// (pythia-1b) and .47 (a 15B model), the prototype's at the lower end, ours between: .10. Masses and cosines vary by
// a few thousandths.
struct Golden {
  std::int64_t length, kv_heads;
  double keys_90, keys_95, keys_98;
  double best_512, best_4096, first_mass, cosine_p10, cosine_median;
};

TEST(LlmStatistics, BodyLayerMatchesTheGoldenTable) {
  for (const Golden& golden : {Golden{4096, 48, 137, 284, 575, .970, 1, .38, .88, .93},
                               Golden{32768, 24, 384, 970, 2382, .936, .987, .36, .89, .94}}) {
    SCOPED_TRACE(golden.length);
    const Shape shape{.q_heads = 4 * golden.kv_heads,
                      .kv_heads = golden.kv_heads,
                      .head_dim = 128,
                      .q_len = golden.length / 2,
                      .kv_len = golden.length,
                      .dtype = Dtype::f32};
    const StatisticsSummary s = measure(shape, json::object(), 4).heavy;
    EXPECT_NEAR(s.keys_90 / golden.keys_90, 1, .36);
    EXPECT_NEAR(s.keys_95 / golden.keys_95, 1, .36);
    EXPECT_NEAR(s.keys_98 / golden.keys_98, 1, .36);
    EXPECT_LT(s.keys_95_median, .75 * s.keys_95);  // heads are very unequal
    EXPECT_NEAR(s.best_512, golden.best_512, .02);
    EXPECT_NEAR(s.best_4096, golden.best_4096, .01);
    EXPECT_NEAR(s.first_mass, golden.first_mass, .10);
    EXPECT_NEAR(s.query_cosine_p10, golden.cosine_p10, .02);
    EXPECT_NEAR(s.query_cosine_median, golden.cosine_median, .02);
  }
}

// Between 92 and 99 % of heads put more than .3 on token 0 on average over 64 tokens (arXiv 2410.10781, table 1).
TEST(LlmStatistics, NearlyAllHeadsSinkEarly) {
  const Shape shape{.q_heads = 96, .kv_heads = 24, .head_dim = 128, .q_len = 4096, .kv_len = 4096, .dtype = Dtype::f32};
  const Problem problem = testing_::make("llm", shape, Phase::prefill, json::object(), 1, kThreads);
  int sinking = 0;
  for (std::int64_t h = 0; h < shape.q_heads; ++h) {
    std::vector<Row> rows;
    for (std::int64_t i = 0; i < 64; ++i) rows.push_back({.head = h, .query = i});
    sinking += summarise(measure_rows(problem.inputs(), rows)).first_mass > .3;
  }
  EXPECT_GE(static_cast<double>(sinking) / static_cast<double>(shape.q_heads), .92);
}

}  // namespace
}  // namespace attnscope
