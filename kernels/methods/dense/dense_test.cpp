// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "kernels/compose/testing.hpp"

namespace attnscope::testing {
namespace {

using ::testing::ElementsAre;

TEST(Dense, IsExactAttentionOnAwkwardShapes) {
  expect_correct("dense", Phase::prefill, {nlohmann::json::object()});
  expect_correct("dense", Phase::decode, {nlohmann::json::object()});
}

TEST(Dense, AttendsEveryVisibleKey) {
  const TestProblem problem({.head_dim = 64, .q_len = 2, .kv_len = 4});
  const MethodRun run("dense", Backend::cpu, problem);
  EXPECT_THAT(run.keys({0, 0, 0}), ElementsAre(0, 1, 2));
  EXPECT_THAT(run.keys({0, 0, 1}), ElementsAre(0, 1, 2, 3));
}

TEST(Dense, DecodingCostsFourFlopsPerElementOfKAndReadsKAndVOnce) {
  // 4 · H_q · N · d FLOPs and 2 · H_kv · N · d · 2 bytes per sequence, beside Q, O and LSE.
  const TestProblem problem(
      {.batch = 2, .q_heads = 4, .kv_heads = 2, .head_dim = 64, .q_len = 1, .kv_len = 100, .dtype = Dtype::bf16});
  const StageCost attend = MethodRun("dense", Backend::cpu, problem).cost("attend");
  EXPECT_EQ(attend.kind, StageKind::attend);
  EXPECT_EQ(attend.flops, 2 * 4.0 * 4 * 100 * 64);
  EXPECT_EQ(attend.bytes, 2 * (2.0 * 2 * 100 * 64 * 2 + 2 * 4 * 64 * 2 + 4 * 4));
}

TEST(Dense, CausalPrefillCostsHalfTheSquare) {
  const TestProblem problem({.head_dim = 64, .q_len = 10, .kv_len = 10});
  EXPECT_EQ(MethodRun("dense", Backend::cpu, problem).cost("attend").flops, 4.0 * 64 * 10 * 11 / 2);
}

TEST(Dense, SaysWhyABackendCannotRun) {
  const Method& dense = find_method("dense");
  const Shape odd{.head_dim = 33};
  EXPECT_FALSE(dense.unsupported(odd, Phase::decode, Backend::reference, {}));
  EXPECT_TRUE(dense.unsupported(odd, Phase::decode, Backend::cpu, {}));
  EXPECT_TRUE(dense.unsupported(odd, Phase::decode, Backend::cuda, {}));
  EXPECT_TRUE(dense.unsupported({.dtype = Dtype::f32}, Phase::decode, Backend::cudnn, {}));
}

}  // namespace
}  // namespace attnscope::testing
