// SPDX-License-Identifier: Apache-2.0
#include "reports/figure/break_even.hpp"

#include <gtest/gtest.h>

#include "harness/record/testing.hpp"

namespace attnscope::reports {
namespace {

using record::Record;
using record::testing::point;

// Dense takes 100 at every length; the method takes what is given, at 1024, 2048, 4096, ... keys.
std::vector<BreakEven> of(const std::vector<double>& times, Record& record) {
  record = {.context = record::testing::context(), .points = {}};
  std::int64_t n = 1024;
  for (const double ns : times) {
    record.points.push_back(point("dense", n, 1, 100));
    record.points.push_back(point("quest", n, 0.5, ns));
    n *= 2;
  }
  return break_evens(record, facets(record, Across::kv_len).at(0));
}

TEST(BreakEven, IsInterpolatedAlongAPowerOfTheLength) {
  Record record;
  const auto list = of({200, 50}, record);  // from half to twice the speed: even at the geometric middle
  ASSERT_EQ(list.size(), 1u);
  EXPECT_NEAR(*list[0].context, 1024 * std::sqrt(2.0), 1e-6);
  EXPECT_EQ(list[0].first_faster, 3u);
  EXPECT_DOUBLE_EQ(list[0].speedup_at_longest, 2);
  EXPECT_EQ(list[0].longest, 2048);
}

TEST(BreakEven, TheLastCrossingCounts) {
  Record record;
  EXPECT_GT(*of({50, 200, 50}, record)[0].context, 2048);
}

TEST(BreakEven, AlwaysAndNeverAreToldApart) {
  Record record;
  EXPECT_TRUE(of({50, 40}, record)[0].always_faster);
  EXPECT_EQ(of({50, 40}, record)[0].context, std::nullopt);
  EXPECT_FALSE(of({200, 300}, record)[0].always_faster);
  EXPECT_EQ(of({200, 300}, record)[0].context, std::nullopt);
}

}  // namespace
}  // namespace attnscope::reports
