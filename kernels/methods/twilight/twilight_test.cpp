// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cmath>
#include <numeric>

#include "kernels/compose/quantized.hpp"
#include "kernels/compose/testing.hpp"
#include "kernels/methods/twilight/pruning.hpp"

namespace attnscope::testing {
namespace {

using select::BisectionStart;
using ::testing::ElementsAre;
using ::testing::IsSubsetOf;

nlohmann::json pruned(const char* base, double p, const nlohmann::json& more = nlohmann::json::object()) {
  nlohmann::json params{{"base", base}, {"p", p}, {"budget", 64}};
  params.update(more);
  return params;
}

std::vector<compose::Bounded> logits_of(const std::vector<double>& weights) {
  std::vector<compose::Bounded> logits;
  for (const double weight : weights) logits.push_back({std::log(weight), 1e-6});
  return logits;
}

TEST(Twilight, IsCorrectOnAwkwardShapesOverEveryKey) {
  expect_correct(
      "twilight", Phase::decode,
      {pruned("full", 0.5), pruned("full", 0.95), pruned("full", 0.8, {{"gqa", "per_head"}}),
       pruned("full", 0.9, {{"topp", "bisection"}}), pruned("full", 0.9, {{"topp", "bisection"}, {"start", "largest"}}),
       pruned("full", 0.9, {{"estimate_bits", 2}}), pruned("full", 0.9, {{"estimate_bits", 8}})});
}

TEST(Twilight, IsCorrectOnAwkwardShapesOverBases) {
  expect_correct(
      "twilight", Phase::decode,
      {pruned("quest", 0.9), pruned("quest", 0.9, {{"page", 5}, {"gqa", "per_head"}}),
       pruned("quest", 0.9, {{"topp", "bisection"}}), pruned("double_sparsity", 0.9, {{"channels_from", "k"}}),
       pruned("streaming", 0.9, {{"sink", 4}, {"window", 60}})});
}

TEST(Twilight, PrunesWhatSnapKvKept) {
  const TestProblem problem({.batch = 2,
                             .q_heads = 4,
                             .kv_heads = 2,
                             .head_dim = 64,
                             .q_len = 1,
                             .kv_len = 300,
                             .cache_page = 16,
                             .history = 20});
  for (const Backend backend : backends_here()) {
    const MethodRun run("twilight", backend, problem, pruned("snapkv", 0.8, {{"observe", 8}}));
    EXPECT_EQ(run.fault(), "");
    EXPECT_LT(run.execution().attended_pairs(), 2u * 4 * 2 * 65);
    EXPECT_EQ(run.observed.stages.front(), "observe");
  }
}

TEST(Twilight, AMassOfOneKeepsEveryCandidate) {
  const TestProblem problem({.q_heads = 4, .kv_heads = 2, .head_dim = 64, .q_len = 1, .kv_len = 500});
  for (const Backend backend : backends_here()) {
    const MethodRun full("twilight", backend, problem, pruned("full", 1));
    EXPECT_EQ(full.execution().attended_pairs(), problem.shape.dense_pairs());
    const MethodRun head("twilight", backend, problem, pruned("quest", 1, {{"gqa", "per_head"}}));
    const MethodRun quest("quest", backend, problem, {{"budget", 64}});
    for (std::int64_t h = 0; h < 4; ++h) EXPECT_EQ(head.keys({0, h, 0}), quest.keys({0, h, 0}));
  }
}

TEST(Twilight, ABaseThatWouldKeepEverythingIsLeftOut) {
  const TestProblem problem({.head_dim = 64, .q_len = 1, .kv_len = 60});
  const MethodRun run("twilight", Backend::cpu, problem, pruned("quest", 0.9));
  EXPECT_THAT(run.observed.stages, ElementsAre("quantize", "estimate", "top_p", "attend"));
}

TEST(Twilight, AGroupAttendsTheUnionOfItsHeads) {
  const TestProblem problem({.q_heads = 4, .kv_heads = 2, .head_dim = 64, .q_len = 1, .kv_len = 300});
  for (const Backend backend : backends_here()) {
    const MethodRun group("twilight", backend, problem, pruned("quest", 0.7));
    const MethodRun head("twilight", backend, problem, pruned("quest", 0.7, {{"gqa", "per_head"}}));
    for (std::int64_t kv = 0; kv < 2; ++kv) {
      std::vector<std::int32_t> both;
      const auto a = head.keys({0, 2 * kv, 0}), b = head.keys({0, 2 * kv + 1, 0});
      std::ranges::set_union(a, b, std::back_inserter(both));
      EXPECT_EQ(group.keys({0, 2 * kv, 0}), both);
      EXPECT_EQ(group.keys({0, 2 * kv + 1, 0}), both);
    }
  }
}

TEST(Twilight, TellsCandidatesAndPrunedKeysApart) {
  const TestProblem problem({.q_heads = 4, .kv_heads = 2, .head_dim = 64, .q_len = 1, .kv_len = 300});
  const MethodRun run("twilight", Backend::cpu, problem, pruned("quest", 0.7));
  const Row row{0, 3, 0};
  const std::vector<KeySet> sets = run.execution().key_sets(row);
  ASSERT_EQ(sets.size(), 2u);
  EXPECT_EQ(sets[0].name, "candidates");
  EXPECT_EQ(sets[1].name, "pruned");
  EXPECT_THAT(sets[1].keys, IsSubsetOf(sets[0].keys));
  EXPECT_THAT(sets[1].keys, IsSubsetOf(run.keys(row)));
  EXPECT_LT(sets[1].keys.size(), sets[0].keys.size());
}

TEST(Twilight, PrunesByTheEstimatedMassAmongTheCandidates) {
  const TestProblem problem({.q_heads = 1, .kv_heads = 1, .head_dim = 64, .q_len = 1, .kv_len = 400});
  const MethodRun run("twilight", Backend::cpu, problem, pruned("quest", 0.6));
  const std::vector<KeySet> sets = run.execution().key_sets({});
  std::vector<std::int32_t> channels(64);
  std::iota(channels.begin(), channels.end(), 0);
  const auto mass = [&](const std::vector<std::int32_t>& keys) {
    double sum = 0;
    for (const auto& s : compose::quantized_logits(problem.inputs(), {}, 4, channels, keys)) sum += std::exp(s.value);
    return sum;
  };
  const double kept = mass(run.keys({})) / mass(sets[0].keys);
  EXPECT_GE(kept, 0.6 - 1e-4);
  EXPECT_LT(kept, 0.6 + 0.1);  // one key more than needed
}

TEST(Twilight, TheReleasedBisectionKeepsMoreWhenTheFirstWeightIsNotTheLargest) {
  std::vector<double> weights(1000, 0.5 / 999);
  weights[500] = 0.5;
  EXPECT_THAT(twilight::bisect(logits_of(weights), 0.45, BisectionStart::largest_weight), ElementsAre(500));
  EXPECT_EQ(twilight::bisect(logits_of(weights), 0.45, BisectionStart::first_weight).size(), 1000u);
}

TEST(Twilight, TheBisectionPrunesNothingOnceTheThresholdIsBelowItsTolerance) {
  const std::vector<double> weights(200000, 1.0 / 200000);
  EXPECT_EQ(twilight::bisect(logits_of(weights), 0.5, BisectionStart::largest_weight).size(), weights.size());
}

TEST(Twilight, NoticesAWrongOutcomeOfTheBisection) {
  const auto logits = logits_of({0.4, 0.3, 0.2, 0.06, 0.04});
  const auto fault = [&](const std::vector<std::int32_t>& kept) {
    return twilight::bisection_fault(logits, 0.65, BisectionStart::largest_weight, kept);
  };
  EXPECT_EQ(twilight::bisect(logits, 0.65, BisectionStart::largest_weight), (std::vector<std::int32_t>{0, 1}));
  EXPECT_EQ(fault({0, 1}), "");
  EXPECT_NE(fault({0}), "");           // too little mass
  EXPECT_NE(fault({0, 1, 2}), "");     // more than needed
  EXPECT_NE(fault({0, 2, 3, 4}), "");  // a lighter key in place of a heavier one
}

TEST(Twilight, CostsWhatItsStagesRead) {
  const std::int64_t n = 2048;
  const TestProblem problem({.q_heads = 4, .kv_heads = 2, .head_dim = 128, .q_len = 1, .kv_len = n});
  const MethodRun run("twilight", Backend::cpu, problem, pruned("full", 0.9));
  EXPECT_THAT(run.observed.stages, ElementsAre("quantize", "estimate", "top_p", "union", "attend"));
  EXPECT_EQ(run.cost("quantize").kind, StageKind::build);
  EXPECT_EQ(run.cost("quantize").bytes, 2.0 * n * (256 + 68));  // K in, 64 B of codes and 4 B of range out
  EXPECT_EQ(run.cost("estimate").flops, (2.0 * 128 + 4) * 4 * n);
  EXPECT_EQ(run.cost("estimate").bytes, 2.0 * n * 68 + 4 * 256.0 + 4.0 * (4 * n + 4));
  EXPECT_EQ(run.cost("top_p").flops, 3.0 * 4 * n);
}

TEST(Twilight, GivesTheSameBitsEveryTime) {
  for (const Backend backend : backends_here()) {
    const TestProblem problem({.q_heads = 4, .kv_heads = 2, .head_dim = 64, .q_len = 1, .kv_len = 5000});
    MethodRun run("twilight", backend, problem, pruned("quest", 0.9, {{"budget", 1024}}));
    const std::vector<float> first = run.o();
    run.run();
    EXPECT_EQ(run.o(), first);
  }
}

}  // namespace
}  // namespace attnscope::testing
