// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "kernels/compose/testing.hpp"
#include "kernels/methods/streaming/cost.hpp"
#include "kernels/selectors/streaming/band.hpp"

namespace attnscope::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

nlohmann::json band(std::int64_t sink, std::int64_t window) { return {{"sink", sink}, {"window", window}}; }

TEST(Streaming, SelectsSinksAndTheMostRecentKeys) {
  const Shape shape{.head_dim = 32, .q_len = 3, .kv_len = 8};
  EXPECT_THAT(streaming::select_row(shape, 2, 3, {0, 0, 0}).keys, ElementsAre(0, 1, 3, 4, 5));
  EXPECT_THAT(streaming::select_row(shape, 2, 3, {0, 0, 2}).keys, ElementsAre(0, 1, 5, 6, 7));
  EXPECT_THAT(streaming::select_row(shape, 0, 1, {0, 0, 2}).keys, ElementsAre(7));
  EXPECT_THAT(streaming::select_row(shape, 1, 0, {0, 0, 2}).keys, ElementsAre(0));
  EXPECT_THAT(streaming::select_row(shape, 0, 0, {0, 0, 2}).keys, IsEmpty());
}

TEST(Streaming, LooksBothWaysWithoutCausality) {
  const Shape shape{.head_dim = 32, .q_len = 8, .kv_len = 8, .causal = false};
  EXPECT_THAT(streaming::select_row(shape, 1, 2, {0, 0, 4}).keys, ElementsAre(0, 3, 4, 5));
}

TEST(Streaming, IsCorrectOnAwkwardShapes) {
  const std::vector<nlohmann::json> params{band(4, 1020), band(4, 13), band(0, 1), band(3, 0), band(0, 0)};
  expect_correct("streaming", Phase::prefill, params);
  expect_correct("streaming", Phase::decode, params);
}

TEST(Streaming, AWindowOverEverythingIsDense) {
  for (const Backend backend : backends_here())
    for (const Phase phase : {Phase::prefill, Phase::decode})
      for (const Shape& shape : awkward_shapes(phase, Dtype::f32)) {
        const TestProblem problem(shape);
        const MethodRun run("streaming", backend, problem, band(0, shape.kv_len));
        const MethodRun dense("dense", backend, problem);
        EXPECT_EQ(run.fault(), "");
        for (const Row& row : sample_rows(shape, 128, 1)) EXPECT_EQ(run.keys(row), dense.keys(row));
        EXPECT_EQ(run.cost("attend").flops, dense.cost("attend").flops);
        EXPECT_EQ(run.cost("attend").bytes, dense.cost("attend").bytes);
      }
}

TEST(Streaming, DecodingCostDoesNotDependOnTheContext) {
  // 4 · H_q · (s + w) · d FLOPs; K and V of s + w keys per KV head.
  for (const std::int64_t kv_len : {100, 1000}) {
    const TestProblem problem({.q_heads = 4, .kv_heads = 2, .head_dim = 64, .q_len = 1, .kv_len = kv_len});
    const StageCost attend = MethodRun("streaming", Backend::cpu, problem, band(4, 60)).cost("attend");
    EXPECT_EQ(attend.flops, 4.0 * 4 * 64 * 64);
    EXPECT_EQ(attend.bytes, 2.0 * 2 * 64 * 64 * 2 + 2 * 4 * 64 * 2 + 4 * 4);
  }
}

TEST(Streaming, KeysReadAreThoseThatAnyRowSelects) {
  for (const bool causal : {true, false})
    for (const std::int64_t q_len : {1, 3, 9})
      for (const std::int64_t sink : {0, 2, 9, 20})
        for (const std::int64_t window : {0, 1, 4, 20}) {
          const Shape shape{.head_dim = 32, .q_len = q_len, .kv_len = 9, .causal = causal};
          std::vector<bool> read(9);
          for (std::int64_t i = 0; i < q_len; ++i)
            for (const std::int32_t key : streaming::select_row(shape, sink, window, {0, 0, i}).keys) read[key] = true;
          EXPECT_EQ(streaming::keys_read(shape, sink, window), std::ranges::count(read, true))
              << q_len << " queries, sink " << sink << ", window " << window;
        }
}

TEST(Streaming, GivesTheSameBitsEveryTime) {
  for (const Backend backend : backends_here()) {
    const TestProblem problem({.q_heads = 4, .kv_heads = 2, .head_dim = 64, .q_len = 70, .kv_len = 200});
    MethodRun run("streaming", backend, problem, band(4, 50));
    const std::vector<float> first = run.o();
    run.run();
    EXPECT_EQ(run.o(), first);
  }
}

}  // namespace
}  // namespace attnscope::testing
