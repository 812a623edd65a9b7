// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cmath>
#include <cstring>

#include "kernels/compose/exact.hpp"
#include "kernels/compose/testing.hpp"
#include "kernels/selectors/quest/pages.hpp"

namespace attnscope::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

nlohmann::json pages(std::int64_t page, std::int64_t budget) { return {{"page", page}, {"budget", budget}}; }

// One head of dimension 2 in the first two channels: pages {0,1} {2,3} {4,5} {6}, the last being filled.
TestProblem hand_worked() {
  TestProblem problem({.head_dim = 64, .q_len = 1, .kv_len = 7, .dtype = Dtype::f32});
  problem.q.zero();
  problem.k.zero();
  const float q[] = {1, -2};
  const float k[7][2] = {{1, 1}, {3, 2}, /**/ {0, -1}, {2, 4}, /**/ {5, 3}, {4, 6}, /**/ {9, 9}};
  std::memcpy(problem.q.data(), q, sizeof q);
  for (int j = 0; j < 7; ++j) std::memcpy(problem.k.as<float>() + j * 64, k[j], sizeof k[j]);
  return problem;
}

TEST(Quest, RanksPagesByTheirUpperBoundAndAlwaysAttendsTheLast) {
  // Bounds of q · k with q = (1, −2): page 0: 3 − 2 = 1, page 1: 2 + 2 = 4, page 2: 5 − 6 = −1.
  const TestProblem problem = hand_worked();
  EXPECT_THAT(select_row("quest", problem, pages(2, 4), {0, 0, 0}).keys, ElementsAre(2, 3, 6));
  EXPECT_THAT(select_row("quest", problem, pages(2, 6), {0, 0, 0}).keys, ElementsAre(0, 1, 2, 3, 6));
  EXPECT_THAT(select_row("quest", problem, pages(2, 4), {0, 0, 0}).borderline, IsEmpty());
  for (const Backend backend : backends_here()) {
    EXPECT_THAT(MethodRun("quest", backend, problem, pages(2, 4)).keys({0, 0, 0}), ElementsAre(2, 3, 6));
    EXPECT_THAT(MethodRun("quest", backend, problem, pages(2, 6)).keys({0, 0, 0}), ElementsAre(0, 1, 2, 3, 6));
  }
}

TEST(Quest, ABudgetBelowAPageKeepsTheCurrentPage) {
  EXPECT_THAT(select_row("quest", hand_worked(), pages(2, 1), {0, 0, 0}).keys, ElementsAre(6));
  for (const Backend backend : backends_here())
    EXPECT_THAT(MethodRun("quest", backend, hand_worked(), pages(2, 1)).keys({0, 0, 0}), ElementsAre(6));
}

TEST(Quest, IsCorrectOnAwkwardShapes) {
  expect_correct("quest", Phase::decode, {pages(16, 1024), pages(16, 48), pages(16, 7), pages(5, 20), pages(1, 10)});
}

TEST(Quest, IsCorrectWhenTheLastPageIsFull) {
  for (const Backend backend : backends_here()) {
    const TestProblem problem({.q_heads = 4, .kv_heads = 2, .head_dim = 64, .q_len = 1, .kv_len = 256});
    const MethodRun run("quest", backend, problem, pages(16, 64));
    EXPECT_EQ(run.fault(), "");
    EXPECT_EQ(run.execution().attended_pairs(), 4u * 64);
  }
}

TEST(Quest, ABudgetOverEverythingIsDense) {
  for (const Backend backend : backends_here())
    for (const Shape& shape : awkward_shapes(Phase::decode, Dtype::f32)) {
      const TestProblem problem(shape);
      const MethodRun run("quest", backend, problem, pages(16, shape.kv_len + 15));
      EXPECT_EQ(run.execution().attended_pairs(), shape.dense_pairs());
      EXPECT_THAT(run.observed.stages, ElementsAre("attend"));
    }
}

TEST(Quest, PageScoresBoundEveryLogitOfThePage) {
  for (const Backend backend : backends_here()) {
    const TestProblem problem(
        {.batch = 2, .q_heads = 4, .kv_heads = 2, .head_dim = 64, .q_len = 1, .kv_len = 203, .dtype = Dtype::f32});
    const MethodRun run("quest", backend, problem, pages(8, 32));
    const std::vector<SideTensor> side = run.execution().side_tensors();
    ASSERT_EQ(side.size(), 2u);
    EXPECT_EQ(side[1].name, "page_scores");
    ASSERT_THAT(side[1].dims, ElementsAre(2, 4, 25));
    std::vector<float> scores(2 * 4 * 25);
    ASSERT_EQ(side[1].bytes.size(), scores.size() * sizeof(float));
    std::memcpy(scores.data(), side[1].bytes.data(), side[1].bytes.size());
    AttentionInputs inputs = problem.inputs();
    inputs.scale = 1;  // page scores are not scaled
    for (const Row& row : sample_rows(problem.shape, 8, 1)) {
      const auto logits = compose::exact_logits(inputs, row);
      for (std::int64_t key = 0; key < 200; ++key)
        EXPECT_GE(scores[(row.batch * 4 + row.head) * 25 + key / 8], logits[key].low());
    }
  }
}

TEST(Quest, PageBoundsAreTheSmallestAndLargestKeysPerChannel) {
  for (const Backend backend : backends_here()) {
    const std::vector<SideTensor> side =
        MethodRun("quest", backend, hand_worked(), pages(2, 4)).execution().side_tensors();
    EXPECT_EQ(side[0].name, "page_bounds");
    EXPECT_EQ(side[0].dtype, "F32");
    ASSERT_THAT(side[0].dims, ElementsAre(1, 1, 3, 2, 64));
    const auto bound = [&](int page, int which, int channel) {
      float value = 0;
      std::memcpy(&value, side[0].bytes.data() + (((page * 2) + which) * 64 + channel) * sizeof(float), sizeof value);
      return value;
    };
    EXPECT_EQ(bound(1, 0, 0), 0);
    EXPECT_EQ(bound(1, 0, 1), -1);
    EXPECT_EQ(bound(1, 1, 0), 2);
    EXPECT_EQ(bound(1, 1, 1), 4);
  }
}

TEST(Quest, CostsTheBoundsOfEveryPageAndTheKeysOfAFew) {
  // 25 pages of 8 keys ranked, one of 3 more; 4 pages attended: 3 · 8 + 3 keys per query head.
  const TestProblem problem({.q_heads = 2, .kv_heads = 2, .head_dim = 64, .q_len = 1, .kv_len = 203});
  const MethodRun run("quest", Backend::cpu, problem, pages(8, 32));
  EXPECT_THAT(run.observed.stages, ElementsAre("page_bounds", "page_scores", "top_k", "attend"));
  EXPECT_EQ(run.cost("page_bounds").kind, StageKind::build);
  EXPECT_EQ(run.cost("page_bounds").flops, 2.0 * 2 * 200 * 64);
  EXPECT_EQ(run.cost("page_bounds").bytes, 2.0 * (200 + 2 * 25) * 64 * 2);
  EXPECT_EQ(run.cost("page_scores").flops, 4.0 * 2 * 25 * 64);
  EXPECT_EQ(run.cost("page_scores").bytes, 2.0 * 2 * 25 * 64 * 2 + 2 * 64 * 2 + 2 * 25 * 4);
  EXPECT_EQ(run.cost("top_k").flops, 2.0 * 26);
  EXPECT_EQ(run.cost("attend").flops, 4.0 * 2 * 27 * 64);
  EXPECT_EQ(run.cost("attend").bytes, 2.0 * 2 * 27 * 64 * 2 + 2 * 2 * 64 * 2 + 2 * 4 + 2 * 4 * 4 + 2 * 12);
}

TEST(Quest, BytesOverDenseAreOneOverThePagePlusTheBudgetsShare) {
  // 1/S + B/N of K and V (Quest, §3.3), up to the unranked page: scores and lists are per mille.
  const std::int64_t n = 1 << 14, page = 16, keys = 1024;
  const TestProblem problem({.q_heads = 1, .kv_heads = 1, .head_dim = 128, .q_len = 1, .kv_len = n});
  const MethodRun run("quest", Backend::cpu, problem, pages(page, keys));
  const double sparse = run.cost("page_scores").bytes + run.cost("top_k").bytes + run.cost("attend").bytes;
  const double dense = MethodRun("dense", Backend::cpu, problem).cost("attend").bytes;
  EXPECT_NEAR(sparse / dense, 1.0 / 16 + 1024.0 / (1 << 14), 0.002);
}

TEST(Quest, DecodesOneQueryOnly) {
  const Method& quest = find_method("quest");
  const Params params = resolve(quest);
  EXPECT_TRUE(quest.unsupported({.q_len = 1}, Phase::prefill, Backend::reference, params));
  EXPECT_TRUE(quest.unsupported({.q_len = 2, .kv_len = 2}, Phase::decode, Backend::reference, params));
  EXPECT_FALSE(quest.unsupported({.q_len = 1}, Phase::decode, Backend::reference, params));
}

TEST(Quest, GivesTheSameBitsEveryTime) {
  for (const Backend backend : backends_here()) {
    const TestProblem problem({.q_heads = 4, .kv_heads = 2, .head_dim = 64, .q_len = 1, .kv_len = 5000});
    MethodRun run("quest", backend, problem, pages(16, 256));
    const std::vector<float> first = run.o();
    run.run();
    EXPECT_EQ(run.o(), first);
  }
}

}  // namespace
}  // namespace attnscope::testing
