// SPDX-License-Identifier: Apache-2.0
// The llm workload from outside: bytes, slices, knobs, refusals.
#include "harness/workload/llm.hpp"

#include <gmock/gmock.h>

#include <map>

#include "harness/base/error.hpp"
#include "harness/workload/statistics.hpp"
#include "harness/workload/workload_testing.hpp"

namespace attnscope {
namespace {

using nlohmann::json;
using testing_::make;
using testing_::params_of;

constexpr Shape kShape{.batch = 2, .q_heads = 4, .kv_heads = 2, .head_dim = 64, .q_len = 300, .kv_len = 300};

TEST(Llm, SameBytesForAnyNumberOfThreads) {
  const std::string one = make("llm", kShape, Phase::prefill, json::object(), 7, 1).hash();
  for (const int threads : {2, 3})
    EXPECT_EQ(make("llm", kShape, Phase::prefill, json::object(), 7, threads).hash(), one);
}

// These bytes are a promise to every published record; they may change only with a note in the changelog.
TEST(Llm, BytesAreWhatTheyWere) { EXPECT_EQ(make("llm", kShape, Phase::prefill).hash(), "3d141912a3952a09"); }

TEST(Llm, DecodeIsTheEndOfPrefill) {
  const Problem whole = make("llm", kShape, Phase::prefill, {{"mix", "retrieval"}});
  for (const std::int64_t rows : {1, 5, 130}) {
    Shape decode = kShape;
    decode.q_len = rows;
    const Problem part = make("llm", decode, Phase::decode, {{"mix", "retrieval"}});
    EXPECT_TRUE(testing_::queries_end_with(whole, part)) << rows;
    EXPECT_EQ(std::memcmp(whole.k.data(), part.k.data(), part.k.bytes()), 0);
    EXPECT_EQ(std::memcmp(whole.v.data(), part.v.data(), part.v.bytes()), 0);
  }
}

TEST(Llm, MakesAnyLengthAndTypeWithFiniteNumbers) {
  for (const std::int64_t length : {1, 2, 5, 15, 16, 63, 64, 65, 257})
    for (const std::int64_t dim : {64, 128})
      for (const Dtype dtype : {Dtype::f32, Dtype::f16, Dtype::bf16}) {
        const Shape shape{
            .q_heads = 6, .kv_heads = 3, .head_dim = dim, .q_len = length, .kv_len = length, .dtype = dtype};
        const Problem problem = make("llm", shape, Phase::prefill);
        for (const RowStatistics& s : measure_rows(problem.inputs(), rows_to_measure(shape, 4)))
          ASSERT_TRUE(s.entropy >= 0) << length;  // false for NaN
      }
}

TEST(Llm, RefusesWhatItCannotMake) {
  const auto message = [](const Shape& shape, const json& params) -> std::string {
    try {
      make("llm", shape, Phase::prefill, params);
    } catch (const InputError& error) {
      return error.what();
    }
    return "nothing thrown";
  };
  Shape narrow = kShape, open = kShape;
  narrow.head_dim = 32;
  open.causal = false;
  EXPECT_THAT(message(narrow, json::object()), testing::HasSubstr("head_dim must be 64 or 128, found 32"));
  EXPECT_THAT(message(open, json::object()), testing::HasSubstr("causal must be true"));
  EXPECT_THAT(message(kShape, {{"segment_share", .7}, {"paragraph_share", .5}}), testing::HasSubstr("at most 1"));
}

TEST(Llm, AnotherPromptKeepsTheHeads) {
  const auto kinds = [](const json& params, std::uint64_t seed) {
    return llm::planted(kShape, params_of("llm", params), seed);
  };
  const auto a = kinds(json::object(), 1), b = kinds({{"prompt_seed", 5}}, 1);
  EXPECT_EQ(a.kinds, b.kinds);
  EXPECT_NE(a.heavy, b.heavy);
}

// Every declared knob, with the mix in which it acts and a value other than its default.
TEST(Llm, EveryKnobHasAnEffect) {
  const std::map<std::string, std::pair<std::string, json>> trials{{"mix", {"body", "diffuse"}},
                                                                   {"gamma_scale", {"body", .8}},
                                                                   {"sigma_scale", {"body", .8}},
                                                                   {"sink_odds", {"body", 2.0}},
                                                                   {"heavy_odds", {"body", 2.0}},
                                                                   {"spread", {"diffuse", .6}},
                                                                   {"fresh", {"body", .1}},
                                                                   {"topic_length", {"body", 16}},
                                                                   {"segment_share", {"body", .1}},
                                                                   {"paragraph_share", {"body", .1}},
                                                                   {"segment_length", {"body", 16}},
                                                                   {"paragraph_length", {"body", 128}},
                                                                   {"heavy_count", {"body", 100}},
                                                                   {"heavy_growth", {"body", .6}},
                                                                   {"group_corr", {"body", .2}},
                                                                   {"kind_agreement", {"body", 0.0}},
                                                                   {"jitter", {"body", 0.0}},
                                                                   {"slash_period", {"slash", 50}},
                                                                   {"needle_mass", {"retrieval", .1}},
                                                                   {"needle_length", {"retrieval", 8}},
                                                                   {"outlier", {"body", 0.0}},
                                                                   {"key_noise", {"body", .1}},
                                                                   {"query_noise", {"body", .1}},
                                                                   {"sink_value", {"body", 1.0}},
                                                                   {"prompt_seed", {"body", 3}}};
  const Shape shape{.q_heads = 24, .kv_heads = 6, .head_dim = 64, .q_len = 8, .kv_len = 2048};
  for (const Parameter& parameter : llm_workload().info().parameters) {
    ASSERT_TRUE(trials.contains(parameter.name)) << "a knob without a trial: " << parameter.name;
    const auto& [mix, value] = trials.at(parameter.name);
    json base{{"mix", mix}}, changed = base;
    changed[parameter.name] = value;
    EXPECT_NE(make("llm", shape, Phase::decode, base).hash(), make("llm", shape, Phase::decode, changed).hash())
        << parameter.name;
  }
}

// What the headline knobs are for, at 4096 tokens and the same seed.
TEST(Llm, KnobsMoveWhatTheySayTheyMove) {
  const Shape shape{.q_heads = 32, .kv_heads = 8, .head_dim = 128, .q_len = 16, .kv_len = 4096, .dtype = Dtype::f32};
  const auto measure = [&](const json& params) {
    const Problem problem = make("llm", shape, Phase::decode, params);
    const auto planted = llm::planted(shape, params_of("llm", params), 1);
    StatisticsOptions options;
    options.threads = 2;
    options.columns = [&](const Row& row) {
      return std::span<const std::int64_t>(planted.heavy[static_cast<std::size_t>(row.head / shape.group())]);
    };
    return summarise(measure_rows(problem.inputs(), rows_to_measure(shape, 2), options));
  };
  const StatisticsSummary base = measure(json::object());
  EXPECT_GT(measure({{"gamma_scale", 1.3}}).window_mass, base.window_mass + .03);
  EXPECT_GT(measure({{"sink_odds", 4.0}}).first_mass, base.first_mass + .1);
  EXPECT_GT(measure({{"heavy_odds", 4.0}}).column_mass, base.column_mass + .05);
  EXPECT_GT(measure({{"fresh", .02}}).query_cosine_median, base.query_cosine_median + .02);
  EXPECT_LT(measure({{"fresh", .6}}).query_cosine_median, base.query_cosine_median - .02);
  EXPECT_LT(measure({{"mix", "diffuse"}, {"sigma_scale", 1.5}}).keys_95, measure({{"mix", "diffuse"}}).keys_95);
}

}  // namespace
}  // namespace attnscope
