// SPDX-License-Identifier: Apache-2.0
#include "harness/workload/portable_math.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace attnscope {
namespace {

// Each is a short sum of rounded terms: a few units of 2^-53.
constexpr double kRelative = 1e-15;

TEST(PortableMath, ExpMatchesTheLibrary) {
  for (double x = -690; x <= 690; x += .377) EXPECT_NEAR(portable::exp(x) / std::exp(x), 1, kRelative) << x;
  EXPECT_EQ(portable::exp(0), 1);
}

TEST(PortableMath, LogMatchesTheLibrary) {
  for (double x = 1e-9; x < 1e12; x *= 1.37)
    EXPECT_NEAR(portable::log(x), std::log(x), kRelative * std::max(1.0, std::abs(std::log(x)))) << x;
  EXPECT_EQ(portable::log(1), 0);
}

TEST(PortableMath, SineAndCosineKeepTheirAccuracyAtLargePhases) {
  for (int k = -400; k <= 400; ++k) {
    const double fraction = k / 401.0;
    // 2^31 whole turns more change nothing but the rounding of the argument, 2^-22 of a turn at that size.
    for (const auto& [turns, tolerance] : {std::pair{fraction, kRelative}, std::pair{fraction + 0x1p31, 2e-6}}) {
      const auto [sine, cosine] = portable::sine_cosine(turns);
      EXPECT_NEAR(sine, std::sin(2 * M_PI * fraction), tolerance) << turns;
      EXPECT_NEAR(cosine, std::cos(2 * M_PI * fraction), tolerance) << turns;
    }
  }
}

TEST(PortableMath, NormalDistributionMatchesTheLibraryAndInverts) {
  for (double x = -5; x <= 5; x += .1) {
    EXPECT_NEAR(portable::normal_cdf(x), .5 * std::erfc(-x / std::sqrt(2.0)), 1e-14) << x;
    EXPECT_NEAR(portable::normal_quantile(portable::normal_cdf(x)), x, 1e-8) << x;
  }
}

}  // namespace
}  // namespace attnscope
