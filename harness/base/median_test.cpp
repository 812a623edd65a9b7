// SPDX-License-Identifier: Apache-2.0
#include "harness/base/median.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

namespace attnscope {
namespace {

TEST(Median, OfOddAndEvenSeries) {
  EXPECT_EQ(median(std::vector<double>{5}), 5);
  EXPECT_EQ(median(std::vector<double>{3, 1, 2}), 2);
  EXPECT_EQ(median(std::vector<double>{4, 1, 2, 3}), 2.5);
}

/// 1, 2, ..., n in a shuffled order.
std::vector<double> ranks(int n) {
  std::vector<double> x(n);
  std::iota(x.begin(), x.end(), 1);
  std::ranges::shuffle(x, std::mt19937(1));
  return x;
}

TEST(MedianInterval, HasTheRanksOfTheBinomialTable) {
  // Ranks for 95 % from tables of the sign test, e.g. Conover, Practical Nonparametric Statistics, table A3.
  const std::tuple<int, double, double> table[] = {{6, 1, 6},   {8, 1, 8},   {9, 2, 8},    {10, 2, 9},   {12, 3, 10},
                                                   {20, 6, 15}, {25, 8, 18}, {50, 18, 33}, {100, 40, 61}};
  for (const auto& [n, low, high] : table) {
    const Interval interval = median_interval(ranks(n), 0.05).value();
    EXPECT_EQ(interval.low, low) << n;
    EXPECT_EQ(interval.high, high) << n;
  }
}

TEST(MedianInterval, CoversTheMedianInAtLeast95PercentOfSkewedSeries) {
  std::mt19937 random(5);
  std::exponential_distribution<double> exponential;
  int covered = 0;
  constexpr int kTrials = 4000;
  for (int trial = 0; trial < kTrials; ++trial) {
    std::vector<double> x(37);
    for (double& value : x) value = exponential(random);
    const Interval interval = median_interval(x, 0.05).value();
    covered += interval.low <= std::log(2.0) && std::log(2.0) <= interval.high;
  }
  EXPECT_GE(covered, 0.95 * kTrials - 3 * std::sqrt(0.05 * 0.95 * kTrials));
  EXPECT_LE(covered, 0.99 * kTrials);
}

TEST(MedianInterval, IsNothingForTooFewSamples) {
  EXPECT_FALSE(median_interval(ranks(5), 0.05));  // 2 · 2^-5 > 0.05
  EXPECT_FALSE(median_interval(ranks(6), 0.01));
  EXPECT_TRUE(median_interval(ranks(8), 0.01));  // 2 · 2^-8 ≤ 0.01
}

}  // namespace
}  // namespace attnscope
