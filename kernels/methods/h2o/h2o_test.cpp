// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "kernels/compose/testing.hpp"

namespace attnscope::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

nlohmann::json kept(double share, double recent = 0.5) { return {{"share", share}, {"recent", recent}}; }

// Ten keys of one head; every earlier query gives the logit 8 to key 2 and 4 to key 5 where it can see them.
TestProblem hand_worked() {
  TestProblem problem({.head_dim = 64, .q_len = 1, .kv_len = 10, .dtype = Dtype::f32, .history = 9});
  problem.k.zero();
  problem.past_q.zero();
  for (int i = 0; i < 9; ++i) problem.past_q.as<float>()[i * 64] = 64;
  problem.k.as<float>()[2 * 64] = 1;
  problem.k.as<float>()[5 * 64] = 0.5f;
  return problem;
}

void expect_keys(const nlohmann::json& params, const std::vector<std::int32_t>& keys) {
  EXPECT_EQ(select_row("h2o", hand_worked(), params, {}).keys, keys);
  for (const Backend backend : backends_here())
    EXPECT_EQ(MethodRun("h2o", backend, hand_worked(), params).keys({}), keys) << to_string(backend);
}

TEST(H2o, KeepsHeavyHittersAndTheMostRecent) {
  // The first query sees only key 0 and gives it all its weight, the second halves it with key 1; from the third on
  // key 2 takes nearly all: 7 in sum, key 0 about 1.5, key 1 about 0.5, key 5 about 4 · e^-4.
  expect_keys(kept(0.2), {2, 9});
  expect_keys(kept(0.4), {0, 2, 8, 9});
  expect_keys(kept(0.6), {0, 1, 2, 7, 8, 9});
  expect_keys(kept(0.4, 1), {6, 7, 8, 9});
  expect_keys(kept(0.3, 0), {0, 2, 9});  // the query's own key always stays
}

TEST(H2o, IsCorrectOnAwkwardShapes) {
  for (const Backend backend : backends_here())
    for (const Dtype dtype : {Dtype::f32, Dtype::bf16})
      for (Shape shape : awkward_shapes(Phase::decode, dtype)) {
        shape.history = shape.kv_len - 1;
        for (const nlohmann::json& params : {kept(0.2), kept(0.01), kept(0.9, 0.1), kept(1)}) {
          if (shape.history == 0 && params != kept(1)) continue;  // nothing to observe
          const TestProblem problem(shape);
          EXPECT_EQ(MethodRun("h2o", backend, problem, params).fault(), "")
              << params << " on " << to_string(backend) << " in " << to_string(dtype) << ", kv_len " << shape.kv_len;
        }
      }
}

TEST(H2o, EverythingKeptIsDense) {
  const TestProblem problem({.head_dim = 64, .q_len = 1, .kv_len = 50, .history = 49});
  EXPECT_THAT(MethodRun("h2o", Backend::cpu, problem, kept(1)).observed.stages, ElementsAre("attend"));
}

TEST(H2o, SaysWhatItCannotDo) {
  const Method& room = find_method("h2o");
  const Shape shape{.head_dim = 64, .q_len = 1, .kv_len = 100};
  EXPECT_THAT(*room.unsupported(shape, Phase::decode, Backend::cpu, resolve(room)), HasSubstr("shape.history"));
}

}  // namespace
}  // namespace attnscope::testing
