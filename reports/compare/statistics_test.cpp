// SPDX-License-Identifier: Apache-2.0
#include "reports/compare/statistics.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace attnscope::reports {
namespace {

using Samples = std::vector<double>;

TEST(MannWhitney, AgreesWithValuesWorkedByHand) {
  // U = 0, mean 4.5, variance 3·3·7/12 = 5.25, z = (4.5 − 0.5)/√5.25 = 1.7457.
  EXPECT_NEAR(mann_whitney_p(Samples{1, 2, 3}, Samples{4, 5, 6}), 0.08086, 1e-5);
  // Ranks 1 3 3 3 6 6 6 8: U = 3, mean 8, ties 24 + 24, variance 16/12·(9 − 48/56) = 10.857, z = 4.5/√10.857 = 1.3657.
  EXPECT_NEAR(mann_whitney_p(Samples{1, 2, 2, 3}, Samples{2, 3, 3, 4}), 0.17203, 1e-5);
}

TEST(MannWhitney, IsSymmetricAndBlindToEqualSeries) {
  const Samples a{5, 1, 4, 2, 9, 3};
  const Samples b{2, 2, 8, 7, 6, 11, 12};
  EXPECT_DOUBLE_EQ(mann_whitney_p(a, b), mann_whitney_p(b, a));
  EXPECT_DOUBLE_EQ(mann_whitney_p(a, a), 1);
  EXPECT_DOUBLE_EQ(mann_whitney_p(Samples{5, 5, 5}, Samples{5, 5}), 1);
}

TEST(MannWhitney, HoldsItsLevelOnEqualDistributions) {
  std::mt19937 random(1);
  std::lognormal_distribution<double> draw(0, 0.5);
  int rejected = 0;
  constexpr int kTrials = 4000;
  for (int trial = 0; trial < kTrials; ++trial) {
    Samples a(15);
    Samples b(20);
    std::ranges::generate(a, [&] { return draw(random); });
    std::ranges::generate(b, [&] { return draw(random); });
    rejected += mann_whitney_p(a, b) < 0.05;
  }
  // 5 % of 4000 is 200; four standard deviations of that binomial are 55.
  EXPECT_NEAR(rejected, 200, 55);
}

TEST(MedianRatio, TakesTheOrderStatisticsThatTheBinomialAllows) {
  Samples a(20);
  for (int i = 0; i < 20; ++i) a[static_cast<std::size_t>(i)] = 101 + i;
  // n = 20 at 1 − 0.005 each: P(binomial < 4) = 0.00129 ≤ 0.0025 < P(binomial < 5) = 0.0059: from the 4th to the 17th.
  const RatioInterval interval = median_ratio(a, a, 0.01);
  EXPECT_DOUBLE_EQ(interval.ratio, 1);
  EXPECT_DOUBLE_EQ(interval.low, 104.0 / 117.0);
  EXPECT_DOUBLE_EQ(interval.high, 117.0 / 104.0);
}

TEST(MedianRatio, IsUnboundedWhenThereAreTooFewSamples) {
  const RatioInterval interval = median_ratio(Samples{1, 2, 3, 4, 5}, Samples{2, 4, 6, 8, 10}, 0.01);
  EXPECT_DOUBLE_EQ(interval.ratio, 2);
  EXPECT_EQ(interval.low, 0);
  EXPECT_TRUE(std::isinf(interval.high));
}

TEST(MedianRatio, CoversTheTrueRatio) {
  std::mt19937 random(2);
  std::exponential_distribution<double> draw(1);
  int missed = 0;
  constexpr int kTrials = 2000;
  for (int trial = 0; trial < kTrials; ++trial) {
    Samples a(25);
    Samples b(30);
    std::ranges::generate(a, [&] { return draw(random); });
    std::ranges::generate(b, [&] { return 1.5 * draw(random); });
    const RatioInterval interval = median_ratio(a, b, 0.05);
    missed += interval.low > 1.5 || interval.high < 1.5;
  }
  EXPECT_LE(missed, kTrials * 0.05);
}

TEST(FastRatio, ComparesTheFastestTenth) {
  EXPECT_DOUBLE_EQ(fast_ratio(Samples{4, 2, 3}, Samples{9, 8, 6}), 3);  // few samples: the fastest
  Samples a(21, 100);
  std::fill_n(a.begin(), 3, 10);
  a[0] = 1;  // one outlier does not decide
  EXPECT_DOUBLE_EQ(fast_ratio(a, Samples(21, 20)), 2);
}

TEST(Drift, IsTwiceTheDistanceOfTheHalves) {
  EXPECT_DOUBLE_EQ(drift(Samples{8, 8, 8, 10, 10, 10}), 0.5);
  EXPECT_DOUBLE_EQ(drift(Samples{10, 10, 10, 8, 8, 8}), 0.5);
  EXPECT_DOUBLE_EQ(drift(Samples{10, 12, 10, 12, 10, 12, 10, 12}), 0);
  EXPECT_DOUBLE_EQ(drift(Samples{1, 2, 3}), 0);
}

}  // namespace
}  // namespace attnscope::reports
