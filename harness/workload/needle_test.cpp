// SPDX-License-Identifier: Apache-2.0
#include "harness/workload/needle.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <span>

#include "harness/base/error.hpp"
#include "harness/base/half.hpp"
#include "harness/base/parallel.hpp"
#include "harness/workload/statistics.hpp"
#include "harness/workload/workload_testing.hpp"

namespace attnscope {
namespace {

using nlohmann::json;
using testing_::make;

double cosine(std::span<const double> a, std::span<const float> b) {
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t c = 0; c < a.size(); ++c) {
    ab += a[c] * b[c];
    aa += a[c] * a[c];
    bb += static_cast<double>(b[c]) * b[c];
  }
  return ab / std::sqrt(aa * bb);
}

// Exact attention in double on every probing row: the needle's mass and whether the output reveals its value.
void expect_retrieved(const Problem& problem, double mass) {
  const Shape& s = problem.shape;
  const RetrievalTask& task = *problem.task;
  const auto positions = problem.provenance["positions"].get<std::vector<std::int64_t>>();
  const auto needles = static_cast<std::int64_t>(positions.size());
  parallel_for(static_cast<std::int64_t>(task.rows.size()), 2, [&](std::int64_t index) {
    const Row row = task.rows[static_cast<std::size_t>(index)];
    const std::int64_t answer = task.answers[static_cast<std::size_t>(index)];
    const auto weights = attention_weights(problem.inputs(), row);
    const std::int64_t position = positions[static_cast<std::size_t>(answer % needles)];
    ASSERT_LT(position, static_cast<std::int64_t>(weights.size())) << "a probe that cannot see its needle";
    EXPECT_GE(weights[static_cast<std::size_t>(position)], mass) << row.head << ", " << row.query;

    std::vector<double> output(static_cast<std::size_t>(s.head_dim));
    const std::int64_t kv = row.batch * s.kv_heads + row.head / s.group();
    for (std::size_t j = 0; j < weights.size(); ++j)
      for (std::int64_t c = 0; c < s.head_dim; ++c)
        output[static_cast<std::size_t>(c)] +=
            weights[j] *
            load_element(problem.v.data(), s.dtype, (kv * s.kv_len + static_cast<std::int64_t>(j)) * s.head_dim + c);
    const auto candidate = [&](std::int64_t i) {
      return std::span(task.candidates)
          .subspan(static_cast<std::size_t>(i * s.head_dim), static_cast<std::size_t>(s.head_dim));
    };
    std::int64_t nearest = 0;
    for (std::int64_t i = 1; i * s.head_dim < static_cast<std::int64_t>(task.candidates.size()); ++i)
      if (cosine(output, candidate(i)) > cosine(output, candidate(nearest))) nearest = i;
    EXPECT_EQ(nearest, answer);
  });
}

TEST(Needle, ExactAttentionRetrievesEveryNeedleAtAnyLength) {
  for (const std::int64_t length : {std::int64_t{1} << 10, std::int64_t{1} << 16, std::int64_t{1} << 20}) {
    SCOPED_TRACE(length);
    const Shape shape{.q_heads = 8, .head_dim = 128, .q_len = 1, .kv_len = length};
    expect_retrieved(make("needle", shape, Phase::decode), .95);
  }
}

TEST(Needle, EveryTypeAndWidthKeepsTheBound) {
  for (const Dtype dtype : {Dtype::f32, Dtype::f16, Dtype::bf16}) {
    for (const std::int64_t dim : {32, 64, 80}) {
      const Shape shape{
          .batch = 2, .q_heads = 4, .kv_heads = 2, .head_dim = dim, .q_len = 3, .kv_len = 777, .dtype = dtype};
      for (const double mass : {.6, .99})
        expect_retrieved(make("needle", shape, Phase::decode, {{"mass", mass}, {"needles", 5}}), mass);
    }
  }
}

TEST(Needle, PrefillAsksForEachNeedleOnceWhereItIsVisible) {
  const Shape shape{.q_heads = 2, .head_dim = 64, .q_len = 500, .kv_len = 500};
  const Problem problem = make("needle", shape, Phase::prefill);
  ASSERT_EQ(problem.task->rows.size(), 16u);
  std::set<std::pair<std::int64_t, std::int64_t>> distinct;
  for (const Row& row : problem.task->rows) distinct.insert({row.head, row.query});
  EXPECT_EQ(distinct.size(), 16u);
  expect_retrieved(problem, .95);
}

TEST(Needle, NeedlesFillTheWholeContextWhenAsked) {
  const Shape shape{.head_dim = 64, .q_len = 16, .kv_len = 16};
  expect_retrieved(make("needle", shape, Phase::prefill, {{"needles", 16}}), .95);
  expect_retrieved(make("needle", {.head_dim = 64, .q_len = 1, .kv_len = 1}, Phase::decode, {{"needles", 1}}), .95);
}

TEST(Needle, DepthPlacesTheNeedles) {
  const Shape shape{.head_dim = 64, .q_len = 1, .kv_len = 1001};
  for (const auto& [depth, first] : {std::pair{0.0, 0}, std::pair{.5, 499}, std::pair{1.0, 998}}) {
    const json params{{"placement", "at_depth"}, {"depth", depth}, {"needles", 3}};
    const Problem problem = make("needle", shape, Phase::decode, params);
    EXPECT_EQ(problem.provenance["positions"], (json{first, first + 1, first + 2}));
    expect_retrieved(problem, .95);
  }
}

TEST(Needle, AWeakerNeedleIsMadeUpForByTheQuery) {
  const Shape shape{.head_dim = 128, .q_len = 1, .kv_len = 4096};
  EXPECT_GT(needle_sigma(shape, 1, 1, .95), needle_sigma(shape, 1, 2, .95));
  expect_retrieved(make("needle", shape, Phase::decode, {{"strength", 1.2}}), .95);
}

TEST(Needle, SameBytesForAnyNumberOfThreads) {
  const Shape shape{.q_heads = 2, .head_dim = 64, .q_len = 100, .kv_len = 300};
  const std::string one = make("needle", shape, Phase::prefill, json::object(), 1, 1).hash();
  EXPECT_EQ(make("needle", shape, Phase::prefill, json::object(), 1, 3).hash(), one);
  EXPECT_NE(make("needle", shape, Phase::prefill, json::object(), 2, 1).hash(), one);
}

TEST(Needle, RefusesWhatCannotBePlanted) {
  const auto message = [](const Shape& shape, const json& params) -> std::string {
    try {
      make("needle", shape, Phase::decode, params);
    } catch (const InputError& error) {
      return error.what();
    }
    return "nothing thrown";
  };
  EXPECT_NE(message({.head_dim = 64, .q_len = 1, .kv_len = 7}, json::object()).find("needles: expected at most 7"),
            std::string::npos);
  EXPECT_NE(message({.head_dim = 8, .q_len = 1, .kv_len = 700}, json::object()).find("strength: expected at least"),
            std::string::npos);
}

}  // namespace
}  // namespace attnscope
