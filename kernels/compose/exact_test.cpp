// SPDX-License-Identifier: Apache-2.0
#include "kernels/compose/exact.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace attnscope::compose {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<Bounded> scores(std::initializer_list<double> values, double error = 0) {
  std::vector<Bounded> bounded;
  for (const double value : values) bounded.push_back({value, error});
  return bounded;
}

TEST(Largest, TakesTheKLargestWhenTheyStandApart) {
  const Choice choice = largest(scores({1, 5, 3, 4, 2}, 0.25), 2);
  EXPECT_THAT(choice.certain, ElementsAre(1, 3));
  EXPECT_THAT(choice.open, IsEmpty());
  EXPECT_EQ(choice.take, 0);
}

TEST(Largest, LeavesOpenWhatRoundingCouldSwap) {
  // 4.0 ± 0.3 and 3.5 ± 0.3 overlap around the threshold; 5 and 1 do not.
  const Choice choice = largest(scores({1, 5, 3.5, 4}, 0.3), 2);
  EXPECT_THAT(choice.certain, ElementsAre(1));
  EXPECT_THAT(choice.open, ElementsAre(2, 3));
  EXPECT_EQ(choice.take, 1);
}

TEST(Largest, LeavesTiesOpen) {
  const Choice choice = largest(scores({7, 2, 2, 2}), 2);
  EXPECT_THAT(choice.certain, ElementsAre(0));
  EXPECT_THAT(choice.open, ElementsAre(1, 2, 3));
  EXPECT_EQ(choice.take, 1);
}

TEST(Largest, TakesEverythingOrNothingAtTheEnds) {
  EXPECT_THAT(largest(scores({3, 1, 2}), 3).certain, ElementsAre(0, 1, 2));
  EXPECT_THAT(largest(scores({3, 1, 2}), 9).certain, ElementsAre(0, 1, 2));
  const Choice none = largest(scores({3, 1, 2}), 0);
  EXPECT_THAT(none.certain, IsEmpty());
  EXPECT_THAT(none.open, IsEmpty());
  EXPECT_EQ(none.take, 0);
}

TEST(Largest, AnyPerturbationWithinTheErrorsAgreesWithTheChoice) {
  std::mt19937 generator(3);
  std::uniform_real_distribution<double> uniform(0, 1);
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<Bounded> bounded(40);
    for (Bounded& score : bounded) score = {uniform(generator), 0.02 * uniform(generator)};
    const Choice choice = largest(bounded, 10);
    std::vector<std::pair<double, std::int32_t>> drawn;
    for (std::int32_t i = 0; i < 40; ++i)
      drawn.emplace_back(-(bounded[i].low() + uniform(generator) * 2 * bounded[i].error), i);
    std::ranges::sort(drawn);
    std::int64_t from_open = 0;
    std::size_t from_certain = 0;
    for (int rank = 0; rank < 10; ++rank) {
      from_certain += std::ranges::binary_search(choice.certain, drawn[rank].second);
      from_open += std::ranges::binary_search(choice.open, drawn[rank].second);
    }
    EXPECT_EQ(from_certain, choice.certain.size());
    EXPECT_EQ(from_open, choice.take);
  }
}

TEST(ExactLogits, AreScaledDotProductsOfTheVisibleKeysOfTheSharedHead) {
  // Two query heads share a KV head; q_len 2 under a causal mask, so query 0 sees two of the three keys.
  const Shape shape{.q_heads = 2, .kv_heads = 1, .head_dim = 2, .q_len = 2, .kv_len = 3, .dtype = Dtype::f32};
  const std::vector<float> q{1, 0, /**/ 0, 1, /**/ 1, 1, /**/ 2, -1};
  const std::vector<float> k{3, 4, /**/ 5, 6, /**/ 7, 8};
  const AttentionInputs inputs{.shape = shape, .q = q.data(), .k = k.data(), .scale = 0.5f};
  const auto first = exact_logits(inputs, {0, 1, 0});
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[0].value, 3.5);
  EXPECT_EQ(first[1].value, 5.5);
  const auto last = exact_logits(inputs, {0, 1, 1});
  ASSERT_EQ(last.size(), 3u);
  EXPECT_EQ(last[2].value, 3.0);                         // (2 · 7 − 8) / 2
  EXPECT_DOUBLE_EQ(last[2].error, 11.0 * dot_error(2));  // (2 · 7 + 8) / 2
}

TEST(DotError, CoversAFloatSumInAnyOrder) {
  std::mt19937 generator(7);
  std::normal_distribution<float> normal;
  for (int trial = 0; trial < 100; ++trial) {
    float forward = 0, fused = 0;
    double exact = 0, magnitude = 0;
    for (int c = 0; c < 128; ++c) {
      const float x = normal(generator), y = normal(generator);
      forward += x * y;
      fused = std::fma(x, y, fused);
      exact += static_cast<double>(x) * y;
      magnitude += std::abs(static_cast<double>(x) * y);
    }
    EXPECT_LE(std::abs(forward - exact), magnitude * dot_error(128));
    EXPECT_LE(std::abs(fused - exact), magnitude * dot_error(128));
  }
}

}  // namespace
}  // namespace attnscope::compose
