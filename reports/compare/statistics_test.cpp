// SPDX-License-Identifier: Apache-2.0
#include "reports/compare/statistics.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

namespace attnscope::reports {
namespace {

using Samples = std::vector<double>;

TEST(MannWhitney, CountsTheDivisionsOfFewValues) {
  // Of the 20 ways to divide six values the two extreme ones lie as far out.
  EXPECT_DOUBLE_EQ(mann_whitney_p(Samples{1, 2, 3}, Samples{4, 5, 6}), 2.0 / 20);
  // Ranks 1 3 3 6 and 3 6 6 8: sum 13, mean 18. Of the 70 divisions ten reach 13 or less, 1 3 3 3 once and 1 3 3 6 nine
  // times, and as many 23 or more.
  EXPECT_DOUBLE_EQ(mann_whitney_p(Samples{1, 2, 2, 3}, Samples{2, 3, 3, 4}), 20.0 / 70);
}

TEST(MannWhitney, ApproximatesManyValues) {
  // Series of 20 that do not overlap: U = 0, mean 200, variance 400/12 · 41 = 1366.7, z = 199.5/√1366.7 = 5.3965.
  Samples a(20);
  Samples b(20);
  std::iota(a.begin(), a.end(), 1);
  std::iota(b.begin(), b.end(), 21);
  EXPECT_NEAR(mann_whitney_p(a, b), 6.796e-8, 1e-10);
}

TEST(MannWhitney, TheExactAndTheApproximateMeet) {
  // 16 and 16 values, the most that are counted: the approximation is known to be close there.
  Samples a(16);
  Samples b(16);
  for (std::size_t i = 0; i < 16; ++i) {
    a[i] = static_cast<double>(2 * i);
    b[i] = static_cast<double>(2 * i + 9);
  }
  const double exact = mann_whitney_p(a, b);
  b.push_back(1e9);
  const double one_more = mann_whitney_p(a, b);
  EXPECT_LT(one_more, exact);
  EXPECT_GT(one_more, exact / 2);
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

TEST(MedianRatio, OfFewValuesHoldsTheRatiosThatTheTestAccepts) {
  // P(U = 0) = 1/252 ≤ 0.005 < P(U ≤ 1) = 2/252: from the smallest to the largest quotient.
  const RatioInterval interval = median_ratio(Samples{1, 2, 3, 4, 5}, Samples{20, 40, 60, 80, 100}, 0.01);
  EXPECT_DOUBLE_EQ(interval.ratio, 20);
  EXPECT_DOUBLE_EQ(interval.low, 20.0 / 5);
  EXPECT_DOUBLE_EQ(interval.high, 100);
}

TEST(MedianRatio, OfFewValuesExcludesOneWhereTheTestRejects) {
  std::mt19937 random(3);
  std::lognormal_distribution<double> draw(0, 0.1);
  for (int trial = 0; trial < 500; ++trial) {
    Samples a(7);
    Samples b(8);
    std::ranges::generate(a, [&] { return draw(random); });
    std::ranges::generate(b, [&] { return 1.15 * draw(random); });
    const RatioInterval interval = median_ratio(a, b, 0.05);
    EXPECT_EQ(interval.low > 1 || interval.high < 1, mann_whitney_p(a, b) <= 0.05);
  }
}

TEST(MedianRatio, IsUnboundedWhenThereAreTooFewSamples) {
  const RatioInterval interval = median_ratio(Samples{1, 2, 3, 4}, Samples{2, 4, 6, 8}, 0.01);
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

TEST(Holm, MultipliesTheSmallestByTheirNumberAndNeverReorders) {
  EXPECT_EQ(holm_adjusted(Samples{}), Samples{});
  EXPECT_EQ(holm_adjusted(Samples{0.25}), Samples{0.25});
  EXPECT_EQ(holm_adjusted(Samples{0.5, 0.0625, 0.125, 0.75}), (Samples{1, 0.25, 0.375, 1}));
  EXPECT_EQ(holm_adjusted(Samples{0.25, 0.125}), (Samples{0.25, 0.25}));
}

}  // namespace
}  // namespace attnscope::reports
