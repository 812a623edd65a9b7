// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "kernels/compose/testing.hpp"

namespace attnscope::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

nlohmann::json kept(std::int64_t budget, std::int64_t observe, std::int64_t width = 1, const char* pool = "max") {
  return {{"budget", budget}, {"observe", observe}, {"pool_width", width}, {"pool", pool}};
}

// One head; the logit of observer i for key j is 8 where `votes` says so, else 0. Channel i carries observer i.
TestProblem voted(std::int64_t kv_len, const std::vector<std::vector<int>>& votes) {
  TestProblem problem(
      {.head_dim = 64, .q_len = 1, .kv_len = kv_len, .dtype = Dtype::f32, .history = std::ssize(votes)});
  problem.k.zero();
  problem.past_q.zero();
  for (std::size_t i = 0; i < votes.size(); ++i) {
    problem.past_q.as<float>()[i * 64 + i] = 64;  // times 1, times the scale 1/8
    for (const int j : votes[i]) problem.k.as<float>()[j * 64 + static_cast<std::int64_t>(i)] = 1;
  }
  return problem;
}

void expect_keys(const TestProblem& problem, const nlohmann::json& params, const std::vector<std::int32_t>& keys) {
  EXPECT_EQ(select_row("snapkv", problem, params, {}).keys, keys);
  for (const Backend backend : backends_here())
    EXPECT_EQ(MethodRun("snapkv", backend, problem, params).keys({}), keys) << to_string(backend);
}

TEST(SnapKv, KeepsWhatTheLastQueriesVotedForAndTheirOwnKeys) {
  // Ten keys: the observers stand at 7 and 8, the query's own key at 9. Of keys 0 to 6 two are kept.
  expect_keys(voted(10, {{2, 5}, {2}}), kept(4, 2), {2, 5, 7, 8, 9});
  expect_keys(voted(10, {{1}, {4}}), kept(4, 2), {1, 4, 7, 8, 9});
}

TEST(SnapKv, ObserversSeeNoKeyAfterTheirOwn) {
  // Observer 0 stands at 7: a vote for 8 falls away, or it would take weight from key 3 and let key 1 pass it.
  expect_keys(voted(10, {{3, 8}, {1, 2}}), kept(3, 2), {3, 7, 8, 9});
}

TEST(SnapKv, PoolingKeepsTheNeighboursOfAVote) {
  expect_keys(voted(12, {{4}, {4}}), kept(5, 2, 3), {3, 4, 5, 9, 10, 11});
  // A mean ranks keys between two votes above keys beside one.
  expect_keys(voted(14, {{3, 5}, {3, 5}}), kept(3, 2, 3, "mean"), {4, 11, 12, 13});
}

TEST(SnapKv, IsCorrectOnAwkwardShapes) {
  for (const Backend backend : backends_here())
    for (const Dtype dtype : {Dtype::f32, Dtype::bf16})
      for (Shape shape : awkward_shapes(Phase::decode, dtype)) {
        shape.history = std::min<std::int64_t>(40, shape.kv_len - 1);
        for (const nlohmann::json& params : {kept(64, 32, 7), kept(10, 3, 5, "mean"), kept(2, 1)}) {
          const TestProblem problem(shape);
          EXPECT_EQ(MethodRun("snapkv", backend, problem, params).fault(), "")
              << params << " on " << to_string(backend) << " in " << to_string(dtype) << ", kv_len " << shape.kv_len;
        }
      }
}

TEST(SnapKv, ChunksOfObserversAddUp) {
  // On the CPU 32 MiB of scores hold 16 observers of 4 heads here: 40 come in three chunks.
  const TestProblem problem({.q_heads = 4, .kv_heads = 2, .head_dim = 64, .q_len = 1, .kv_len = 131072, .history = 40});
  for (const Backend backend : backends_here())
    EXPECT_EQ(MethodRun("snapkv", backend, problem, kept(256, 40, 7)).fault(), "");
}

TEST(SnapKv, AShortPromptIsDense) {
  const TestProblem problem({.head_dim = 64, .q_len = 1, .kv_len = 65});
  const MethodRun run("snapkv", Backend::cpu, problem, kept(64, 32));
  EXPECT_THAT(run.observed.stages, ElementsAre("attend"));
  EXPECT_EQ(run.fault(), "");
}

TEST(SnapKv, DecidesOnceAndThenOnlyAttends) {
  const TestProblem problem({.q_heads = 2, .kv_heads = 1, .head_dim = 64, .q_len = 1, .kv_len = 500, .history = 32});
  const MethodRun run("snapkv", Backend::cpu, problem, kept(100, 32, 7));
  EXPECT_THAT(run.observed.stages, ElementsAre("observe", "pool", "top_k", "attend"));
  for (const char* stage : {"observe", "pool", "top_k"}) EXPECT_EQ(run.cost(stage).kind, StageKind::build);
  EXPECT_EQ(run.execution().attended_pairs(), 2u * 101);
  EXPECT_EQ(run.cost("observe").flops, (2.0 * 64 + 3) * 2 * 32 * 499);
}

TEST(SnapKv, SaysWhatItCannotDo) {
  const Method& room = find_method("snapkv");
  const auto reason = [&](const Shape& shape, const nlohmann::json& params) {
    return room.unsupported(shape, Phase::decode, Backend::cpu, resolve(room, params)).value_or("");
  };
  EXPECT_THAT(reason({.head_dim = 64, .q_len = 1, .kv_len = 500}, kept(64, 32)), HasSubstr("shape.history"));
  EXPECT_THAT(reason({.head_dim = 64, .q_len = 1, .kv_len = 500, .history = 32}, kept(64, 32, 4)), HasSubstr("odd"));
  EXPECT_THAT(reason({.head_dim = 64, .q_len = 1, .kv_len = 500, .history = 32}, kept(32, 32)), HasSubstr("exceed"));
  EXPECT_EQ(reason({.head_dim = 64, .q_len = 1, .kv_len = 500, .history = 32}, kept(64, 32)), "");
}

}  // namespace
}  // namespace attnscope::testing
