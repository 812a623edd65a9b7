// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cmath>

#include "kernels/compose/testing.hpp"
#include "kernels/compose/top_p.hpp"

namespace attnscope::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

nlohmann::json mass(double p) { return {{"p", p}}; }

// Logits whose softmax is `weights`.
std::vector<compose::Bounded> logits_of(const std::vector<double>& weights, double error = 0) {
  std::vector<compose::Bounded> logits;
  for (const double weight : weights) logits.push_back({std::log(weight), error});
  return logits;
}

TEST(OracleTopP, SelectsTheSmallestSetThatHoldsTheMass) {
  const auto logits = logits_of({0.1, 0.4, 0.05, 0.25, 0.2});
  EXPECT_THAT(compose::smallest_with_mass(logits, 0.3).keys, ElementsAre(1));
  EXPECT_THAT(compose::smallest_with_mass(logits, 0.5).keys, ElementsAre(1, 3));
  EXPECT_THAT(compose::smallest_with_mass(logits, 0.8).keys, ElementsAre(1, 3, 4));
  EXPECT_THAT(compose::smallest_with_mass(logits, 0.9).keys, ElementsAre(0, 1, 3, 4));
  EXPECT_THAT(compose::smallest_with_mass(logits, 0.99).keys, ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(compose::smallest_with_mass(logits, 0.8).borderline, IsEmpty());
}

TEST(OracleTopP, LeavesOpenTheKeyThatRoundingDecides) {
  // 0.4 + 0.25 reaches p = 0.65 exactly: whether 0.2 is taken too depends on the rounding.
  const RowSelection selection = compose::smallest_with_mass(logits_of({0.1, 0.4, 0.05, 0.25, 0.2}), 0.65);
  EXPECT_THAT(selection.keys, ElementsAre(1, 3));
  EXPECT_THAT(selection.borderline, ElementsAre(4));
}

TEST(OracleTopP, LeavesOpenWhichOfEqualKeysButNotHowMany) {
  const RowSelection one = compose::smallest_with_mass(logits_of({0.25, 0.25, 0.25, 0.25}), 0.2);
  EXPECT_THAT(one.keys, IsEmpty());
  EXPECT_THAT(one.borderline, ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(one.borderline_min, 1);
  EXPECT_EQ(compose::smallest_with_mass(logits_of({0.25, 0.25, 0.25, 0.25}), 0.6).borderline_min, 3);
}

TEST(OracleTopP, AnyPerturbationWithinTheErrorsAgreesWithTheDefinition) {
  std::mt19937 generator(5);
  std::normal_distribution<double> normal(0, 2);
  std::uniform_real_distribution<double> uniform(-1, 1);
  for (int trial = 0; trial < 300; ++trial) {
    std::vector<compose::Bounded> logits(50);
    for (auto& logit : logits) logit = {normal(generator), 0.01 * std::abs(uniform(generator))};
    const double p = 0.5 + 0.49 * uniform(generator);
    const RowSelection selection = compose::smallest_with_mass(logits, p);

    std::vector<std::pair<double, std::int32_t>> perturbed;  // by descending logit
    double total = 0;
    for (std::int32_t i = 0; i < 50; ++i) {
      perturbed.emplace_back(-(logits[i].value + uniform(generator) * logits[i].error), i);
      total += std::exp(-perturbed.back().first);
    }
    std::ranges::sort(perturbed);
    std::vector<std::int32_t> keys;
    for (double held = 0; held < p * total; held += std::exp(-perturbed[keys.size() - 1].first))
      keys.push_back(perturbed[keys.size()].second);
    std::ranges::sort(keys);
    EXPECT_EQ(selection_fault(selection, keys).value_or(""), "") << "p " << p << ", trial " << trial;
  }
}

TEST(OracleTopP, IsCorrectOnAwkwardShapes) {
  expect_correct("oracle_topp", Phase::prefill, {mass(0.001), mass(0.5), mass(0.95), mass(1)});
  expect_correct("oracle_topp", Phase::decode, {mass(0.001), mass(0.5), mass(0.95), mass(1)});
}

TEST(OracleTopP, TheWholeMassIsDense) {
  const TestProblem problem({.q_heads = 2, .kv_heads = 1, .head_dim = 64, .q_len = 7, .kv_len = 30});
  for (const Backend backend : backends_here()) {
    const MethodRun run("oracle_topp", backend, problem, mass(1));
    EXPECT_EQ(run.execution().attended_pairs(), problem.shape.dense_pairs());
    EXPECT_THAT(run.observed.stages, ElementsAre("attend"));
  }
}

TEST(OracleTopP, KeepsTheMassAndNoKeyMore) {
  for (const Backend backend : backends_here())
    for (const double p : {0.5, 0.9, 0.99}) {
      const TestProblem problem({.q_heads = 4, .kv_heads = 2, .head_dim = 64, .q_len = 1, .kv_len = 2000});
      const MethodRun run("oracle_topp", backend, problem, mass(p));
      for (const Row& row : sample_rows(problem.shape, 4, 1)) {
        const auto logits = compose::exact_logits(problem.inputs(), row);
        double total = 0, held = 0, least = INFINITY;
        for (const auto& logit : logits) total += std::exp(logit.value);
        for (const std::int32_t key : run.keys(row)) {
          held += std::exp(logits[key].value);
          least = std::min(least, std::exp(logits[key].value));
        }
        EXPECT_GE(held, (p - 1e-4) * total);
        EXPECT_LT(held - least, (p + 1e-4) * total);
      }
    }
}

TEST(OracleTopP, WorksInChunksWhenTheScoresWouldNotFit) {
  for (const Backend backend : backends_here()) {
    const std::int64_t n = backend == Backend::cpu ? 2999 : 8209;
    const TestProblem problem({.q_heads = 2, .kv_heads = 1, .head_dim = 64, .q_len = n, .kv_len = n});
    const MethodRun run("oracle_topp", backend, problem, mass(0.3));
    EXPECT_EQ(run.fault(), "");
    EXPECT_GT(std::ranges::count(run.observed.stages, "attend"), 1);
    // More rows per KV head than keys: all of K and V is charged.
    EXPECT_EQ(run.cost("attend").bytes - 4.0 * static_cast<double>(run.execution().attended_pairs()),
              2.0 * n * 64 * 2 + 2 * 2 * n * 64 * 2 + (4 + 12) * 2.0 * n);
  }
}

TEST(OracleTopP, CountsAnExponentialAnAdditionAndAComparisonPerScore) {
  const TestProblem problem({.q_heads = 2, .kv_heads = 1, .head_dim = 64, .q_len = 1, .kv_len = 100});
  const MethodRun run("oracle_topp", Backend::cpu, problem, mass(0.5));
  const auto pairs = static_cast<double>(run.execution().attended_pairs());
  EXPECT_THAT(run.observed.stages, ElementsAre("logits", "top_p", "attend"));
  EXPECT_EQ(run.cost("top_p").flops, 3.0 * 2 * 100);
  EXPECT_EQ(run.cost("top_p").bytes, 4 * (2.0 * 100 + pairs + 2 * 2));
  EXPECT_EQ(run.cost("attend").flops, 4 * 64 * pairs);
}

}  // namespace
}  // namespace attnscope::testing
