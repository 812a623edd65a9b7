// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "kernels/compose/testing.hpp"

namespace attnscope::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

nlohmann::json budget(std::int64_t keys) { return {{"budget", keys}}; }

// q · k_j = keys[j] for every head, whatever the rest of the keys holds.
TestProblem with_scores(const Shape& shape, const std::vector<float>& scores) {
  TestProblem problem(shape);
  problem.q.zero();
  for (std::int64_t row = 0; row < shape.rows(); ++row)
    store_element(problem.q.data(), shape.dtype, row * shape.head_dim, 1);
  for (std::int64_t key = 0; key < shape.batch * shape.kv_heads * shape.kv_len; ++key)
    store_element(problem.k.data(), shape.dtype, key * shape.head_dim, scores[key % shape.kv_len]);
  return problem;
}

TEST(OracleTopK, SelectsTheKeysOfLargestLogit) {
  const TestProblem problem = with_scores({.head_dim = 64, .q_len = 1, .kv_len = 6}, {3, -1, 9, 4, 0, 5});
  const RowSelection selection = select_row("oracle_topk", problem, budget(3), {0, 0, 0});
  EXPECT_THAT(selection.keys, ElementsAre(2, 3, 5));
  EXPECT_THAT(selection.borderline, IsEmpty());
  for (const Backend backend : backends_here())
    EXPECT_THAT(MethodRun("oracle_topk", backend, problem, budget(3)).keys({0, 0, 0}), ElementsAre(2, 3, 5));
}

TEST(OracleTopK, SeesNoFutureKeys) {
  const TestProblem problem = with_scores({.head_dim = 64, .q_len = 2, .kv_len = 4}, {1, 2, 3, 9});
  EXPECT_THAT(select_row("oracle_topk", problem, budget(2), {0, 0, 0}).keys, ElementsAre(1, 2));
  EXPECT_THAT(select_row("oracle_topk", problem, budget(2), {0, 0, 1}).keys, ElementsAre(2, 3));
}

TEST(OracleTopK, BreaksTiesTowardsTheLowestIndex) {
  const TestProblem problem = with_scores({.head_dim = 64, .q_len = 1, .kv_len = 6}, {2, 7, 2, 2, 1, 2});
  const RowSelection selection = select_row("oracle_topk", problem, budget(3), {0, 0, 0});
  EXPECT_THAT(selection.keys, ElementsAre(1));
  EXPECT_THAT(selection.borderline, ElementsAre(0, 2, 3, 5));
  EXPECT_EQ(selection.borderline_min, 2);
  EXPECT_EQ(selection.borderline_max, 2);
  for (const Backend backend : backends_here())
    EXPECT_THAT(MethodRun("oracle_topk", backend, problem, budget(3)).keys({0, 0, 0}), ElementsAre(0, 1, 2));
}

TEST(OracleTopK, IsCorrectOnAwkwardShapes) {
  expect_correct("oracle_topk", Phase::prefill, {budget(1), budget(16), budget(1024)});
  expect_correct("oracle_topk", Phase::decode, {budget(1), budget(16), budget(1024)});
}

TEST(OracleTopK, ABudgetOverEverythingIsDense) {
  for (const Backend backend : backends_here())
    for (const Phase phase : {Phase::prefill, Phase::decode})
      for (const Shape& shape : awkward_shapes(phase, Dtype::f32)) {
        const TestProblem problem(shape);
        const MethodRun run("oracle_topk", backend, problem, budget(shape.kv_len));
        EXPECT_EQ(run.execution().attended_pairs(), shape.dense_pairs());
        EXPECT_EQ(run.cost("attend").flops, MethodRun("dense", backend, problem).cost("attend").flops);
      }
}

TEST(OracleTopK, WorksInChunksWhenTheScoresWouldNotFit) {
  // Scores of a whole head exceed the bound: 32 MiB on the CPU, 1 GiB on a GPU, where the last chunk of 101 rows is one
  // that the selection engine cuts finer than the others.
  for (const Backend backend : backends_here()) {
    const std::int64_t n = backend == Backend::cpu ? 2999 : 16421;
    const TestProblem problem({.q_heads = 2, .kv_heads = 1, .head_dim = 64, .q_len = n, .kv_len = n});
    const MethodRun run("oracle_topk", backend, problem, budget(40));
    EXPECT_EQ(run.fault(), "");
    // Every row attends min(40, visible) keys.
    EXPECT_EQ(run.execution().attended_pairs(), static_cast<std::uint64_t>(2 * (40 * 39 / 2 + (n - 39) * 40)));
    EXPECT_GT(std::ranges::count(run.observed.stages, "attend"), 1);
  }
}

TEST(OracleTopK, ReadsTheWholeOfKAndTheUnionOfTheGroupsChoices) {
  // 2 H_q N d FLOPs and H_kv N d · 2 bytes to score; 4 H_q k d FLOPs to attend; both query heads of the group choose
  // the same three keys.
  const TestProblem problem =
      with_scores({.q_heads = 2, .kv_heads = 1, .head_dim = 64, .q_len = 1, .kv_len = 6}, {3, -1, 9, 4, 0, 5});
  const MethodRun run("oracle_topk", Backend::cpu, problem, budget(3));
  EXPECT_THAT(run.observed.stages, ElementsAre("logits", "top_k", "attend"));
  EXPECT_EQ(run.cost("logits").kind, StageKind::select);
  EXPECT_EQ(run.cost("logits").flops, 2.0 * 2 * 6 * 64);
  EXPECT_EQ(run.cost("logits").bytes, 6.0 * 64 * 2 + 2 * 64 * 2 + 2 * 6 * 4 + 2 * 4);
  EXPECT_EQ(run.cost("top_k").flops, 2.0 * 6);
  EXPECT_EQ(run.cost("top_k").bytes, 2.0 * (6 + 3 + 2) * 4);
  EXPECT_EQ(run.cost("attend").flops, 4.0 * 2 * 3 * 64);
  EXPECT_EQ(run.cost("attend").bytes, 2.0 * 3 * 64 * 2 + 2 * 2 * 64 * 2 + 2 * 4 + 2 * 3 * 4 + 2 * 12);
}

TEST(OracleTopK, GivesTheSameBitsEveryTime) {
  for (const Backend backend : backends_here()) {
    const TestProblem problem({.q_heads = 4, .kv_heads = 2, .head_dim = 64, .q_len = 1, .kv_len = 5000});
    MethodRun run("oracle_topk", backend, problem, budget(100));
    const std::vector<float> first = run.o();
    run.run();
    EXPECT_EQ(run.o(), first);
  }
}

}  // namespace
}  // namespace attnscope::testing
