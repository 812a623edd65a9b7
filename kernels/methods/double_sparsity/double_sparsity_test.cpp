// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cmath>

#include "kernels/compose/testing.hpp"
#include "kernels/selectors/double_sparsity/channels.hpp"

namespace attnscope::testing {
namespace {

using double_sparsity::CalibrationRows;
using double_sparsity::Target;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

nlohmann::json settings(std::int64_t budget, std::int64_t channels, int bits, const char* from = "k") {
  return {{"budget", budget}, {"channels", channels}, {"bits", bits}, {"channels_from", from}};
}

TEST(DoubleSparsity, CalibrationRanksChannelsByMeanMagnitude) {
  // Two tokens with past queries (2, 1, 1, 0) and keys (0, −3, 1, 4): |k| sums 0 6 2 8, |q| 4 2 2 0, |q k| 0 6 2 0.
  const Shape shape{.head_dim = 4, .q_len = 1, .kv_len = 3, .history = 2};
  const CalibrationRows rows{.past_query =
                                 [](auto, auto) {
                                   return std::vector<float>{2, 1, 1, 0};
                                 },
                             .key =
                                 [](auto, auto) {
                                   return std::vector<float>{0, -3, 1, 4};
                                 }};
  EXPECT_THAT(calibrated_channels(shape, rows, Target::k, 1, 2), ElementsAre(ElementsAre(1, 3)));
  EXPECT_THAT(calibrated_channels(shape, rows, Target::q, 1, 2), ElementsAre(ElementsAre(0, 1)));
  EXPECT_THAT(calibrated_channels(shape, rows, Target::qk, 1, 2), ElementsAre(ElementsAre(1, 2)));
}

TEST(DoubleSparsity, CalibrationPairsAQueryWithTheKeyOfItsToken) {
  const Shape shape{.head_dim = 1, .q_len = 1, .kv_len = 10, .history = 4};
  std::vector<std::int64_t> queries, keys;
  const CalibrationRows rows{.past_query =
                                 [&](std::int64_t, std::int64_t i) {
                                   queries.push_back(i);
                                   return std::vector<float>{1};
                                 },
                             .key =
                                 [&](std::int64_t, std::int64_t j) {
                                   keys.push_back(j);
                                   return std::vector<float>{1};
                                 }};
  calibrated_channels(shape, rows, Target::qk, 1, 1);
  EXPECT_THAT(queries, ElementsAre(0, 1, 2, 3));  // positions 5 to 8, before the query at 9
  EXPECT_THAT(keys, ElementsAre(5, 6, 7, 8));
}

TEST(DoubleSparsity, RanksKeysByTheKeptChannelsAlone) {
  // Channels 8..15 are large in every key and therefore kept; channel 0 would reverse the order.
  TestProblem problem({.head_dim = 64, .q_len = 1, .kv_len = 4, .dtype = Dtype::bf16});
  problem.q.zero();
  problem.k.zero();
  for (int c : {0, 8}) store_element(problem.q.data(), Dtype::bf16, c, 1);
  for (int j = 0; j < 4; ++j) {
    for (int c = 8; c < 16; ++c)
      store_element(problem.k.data(), Dtype::bf16, j * 64 + c, 10.0f + static_cast<float>(j));
    store_element(problem.k.data(), Dtype::bf16, j * 64, -4.0f * static_cast<float>(j));
  }
  const nlohmann::json params = settings(2, 8, 16);
  EXPECT_THAT(select_row("double_sparsity", problem, params, {}).keys, ElementsAre(2, 3));
  for (const Backend backend : backends_here())
    EXPECT_THAT(MethodRun("double_sparsity", backend, problem, params).keys({}), ElementsAre(2, 3));
}

TEST(DoubleSparsity, IsCorrectOnAwkwardShapes) {
  expect_correct("double_sparsity", Phase::decode, {settings(16, 32, 4), settings(7, 64, 2), settings(1, 16, 8)});
}

TEST(DoubleSparsity, IsCorrectWithEveryTargetAndLabelsPerQueryHead) {
  for (const Backend backend : backends_here())
    for (const char* from : {"k", "q", "qk"})
      for (const char* labels : {"kv_head", "q_head"})
        for (const std::int64_t cache_page : {0, 16}) {
          const TestProblem problem({.batch = 2,
                                     .q_heads = 4,
                                     .kv_heads = 2,
                                     .head_dim = 64,
                                     .q_len = 1,
                                     .kv_len = 300,
                                     .cache_page = cache_page,
                                     .history = 20});
          nlohmann::json params = settings(40, 32, 4, from);
          params["labels"] = labels;
          const MethodRun run("double_sparsity", backend, problem, params);
          EXPECT_EQ(run.fault(), "") << from << " " << labels << " " << cache_page;
          EXPECT_EQ(run.execution().attended_pairs(), 2u * 4 * 40);
        }
}

TEST(DoubleSparsity, ABudgetOverEverythingIsDense) {
  const TestProblem problem({.head_dim = 64, .q_len = 1, .kv_len = 50});
  const MethodRun run("double_sparsity", Backend::cpu, problem, settings(50, 32, 4));
  EXPECT_THAT(run.observed.stages, ElementsAre("attend"));
}

TEST(DoubleSparsity, AllChannelsAsTheyAreRankLikeTheExactLogits) {
  const TestProblem problem({.q_heads = 2, .kv_heads = 1, .head_dim = 128, .q_len = 1, .kv_len = 500});
  const MethodRun run("double_sparsity", Backend::cpu, problem, settings(30, 128, 16));
  const MethodRun oracle("oracle_topk", Backend::cpu, problem, {{"budget", 30}});
  EXPECT_EQ(run.keys({0, 1, 0}), oracle.keys({0, 1, 0}));
}

TEST(DoubleSparsity, CostsSixteenBytesAKeyAtTheHeadlineSetting) {
  // r = 32 channels of 4 bits: 16 B per key and KV head, 1/16 of K at d = 128, and 4 B for its range.
  const std::int64_t n = 4096;
  const TestProblem problem({.q_heads = 4, .kv_heads = 1, .head_dim = 128, .q_len = 1, .kv_len = n});
  const MethodRun run("double_sparsity", Backend::cpu, problem, settings(256, 32, 4));
  EXPECT_THAT(run.observed.stages, ElementsAre("labels", "label_scores", "top_k", "attend"));
  EXPECT_EQ(run.cost("labels").kind, StageKind::build);
  EXPECT_EQ(run.cost("labels").bytes, n * 256.0 + n * 20.0);
  EXPECT_EQ(run.cost("label_scores").flops, (2.0 * 32 + 4) * 4 * n);
  EXPECT_EQ(run.cost("label_scores").bytes, n * 20.0 + 4 * 256.0 + 4.0 * (4 * n + 4));
}

TEST(DoubleSparsity, SaysWhatItCannotDo) {
  const Method& room = find_method("double_sparsity");
  const Shape shape{.head_dim = 64, .q_len = 1, .kv_len = 100};
  const auto reason = [&](const nlohmann::json& params) {
    return room.unsupported(shape, Phase::decode, Backend::cpu, resolve(room, params)).value_or("");
  };
  EXPECT_THAT(reason(settings(10, 32, 4, "qk")), HasSubstr("shape.history"));
  EXPECT_THAT(reason(settings(10, 32, 3)), HasSubstr("bits must be"));
  EXPECT_THAT(reason(settings(10, 128, 4)), HasSubstr("head_dim = 64"));
  EXPECT_THAT(reason(settings(10, 24, 4)), HasSubstr("channels · bits"));
  EXPECT_EQ(reason(settings(10, 32, 4)), "");
}

}  // namespace
}  // namespace attnscope::testing
