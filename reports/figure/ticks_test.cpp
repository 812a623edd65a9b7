// SPDX-License-Identifier: Apache-2.0
#include "reports/figure/ticks.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace attnscope::reports {
namespace {

std::string labels(Scale scale, Range range) {
  std::string text;
  for (const Tick& tick : ticks(scale, range))
    if (!tick.label.empty()) text += (text.empty() ? "" : " ") + tick.label;
  return text;
}

TEST(Ticks, PowersOfTwoReadAsContextLengths) {
  EXPECT_EQ(labels(Scale::log2, {65536, 1048576}), "64k 128k 256k 512k 1M");
}

TEST(Ticks, DecadesWhenThereAreMany) { EXPECT_EQ(labels(Scale::log10, {1e-3, 1e3}), "0.001 0.01 0.1 1 10 100 1k"); }

TEST(Ticks, OneTwoFiveWhenThereAreFew) { EXPECT_EQ(labels(Scale::log10, {0.1, 2}), "0.1 0.2 0.5 1 2"); }

TEST(Ticks, RoundStepsOnALinearAxis) { EXPECT_EQ(labels(Scale::linear, {0, 10}), "0 2 4 6 8 10"); }

TEST(Ticks, AreAscendingInsideTheRangeAndNotTooMany) {
  for (const Scale scale : {Scale::linear, Scale::log10, Scale::log2})
    for (const double low : {1e-6, 0.3, 1.0, 7e5})
      for (const double factor : {1.0, 1.01, 3.0, 100.0, 1e9}) {
        const Range range = nice_range(scale, low, low * factor);
        EXPECT_LE(range.low, low * (1 + 1e-9));
        EXPECT_GE(range.high, low * factor * (1 - 1e-9));
        ASSERT_LT(range.low, range.high);
        int labelled = 0;
        double last = -INFINITY;
        for (const Tick& tick : ticks(scale, range)) {
          EXPECT_GT(tick.value, last);
          last = tick.value;
          labelled += !tick.label.empty();
          EXPECT_GE(position(scale, range, tick.value), -1e-6);
          EXPECT_LE(position(scale, range, tick.value), 1 + 1e-6);
        }
        EXPECT_GE(labelled, 2) << "scale " << static_cast<int>(scale) << " from " << low << " by " << factor;
        EXPECT_LE(labelled, 12);
      }
}

TEST(Ticks, CategoriesStandAtTheirIndex) {
  const Axis axis{"method", Scale::linear, {"a", "b", "c"}};
  const Range range = nice_range(axis, 0, 0);
  EXPECT_LT(range.low, -0.5);
  EXPECT_GT(range.high, 2.5);
  ASSERT_EQ(ticks(axis, range).size(), 3u);
  EXPECT_EQ(ticks(axis, {0.5, 1.5}).at(0).label, "b");
}

TEST(Position, IsLinearInTheLogarithm) {
  EXPECT_DOUBLE_EQ(position(Scale::linear, {0, 10}, 5), 0.5);
  EXPECT_DOUBLE_EQ(position(Scale::log10, {1, 100}, 10), 0.5);
  EXPECT_DOUBLE_EQ(position(Scale::log2, {4, 64}, 16), 0.5);
}

}  // namespace
}  // namespace attnscope::reports
