// SPDX-License-Identifier: Apache-2.0
#include "reports/figure/wording.hpp"

#include <gtest/gtest.h>

#include "harness/record/testing.hpp"

namespace attnscope::reports {
namespace {

using record::Record;
using record::testing::point;

TEST(Wording, NamesOnlyTheParametersThatVaryWithinTheMethod) {
  Record record{.context = {}, .points = std::vector(3, point("quest", 1024, 0.5, 100))};
  record.points[0].params = {{"budget", 128}, {"page", 16}};
  record.points[1].params = {{"budget", 256}, {"page", 16}};
  record.points[2] = point("streaming", 1024, 0.5, 100);
  record.points[2].params = {{"budget", 512}};
  const Wording wording(record);
  EXPECT_EQ(wording.variant(record.points[0]), "budget 128");
  EXPECT_EQ(wording.variant(record.points[1]), "budget 256");
  EXPECT_EQ(wording.variant(record.points[2]), "");
}

TEST(Wording, AParameterThatSomePointsLackIsNamedWhereItVaries) {
  Record record{.context = {}, .points = std::vector(3, point("a", 1024, 0.5, 100))};
  record.points[0].params = {{"top", 1}};
  record.points[1].params = {{"top", 2}};
  record.points[2].params = {{"p", 0.5}};
  EXPECT_EQ(Wording(record).variant(record.points[2]), "");
  EXPECT_EQ(Wording(record).variant(record.points[1]), "top 2");
}

TEST(Wording, DenseAloneIsBlack) {
  Record record{.context = {}, .points = {}};
  for (const char* method : {"zeta", "dense", "alpha", "quest"}) record.points.push_back(point(method, 1024, 0.5, 100));
  const Wording wording(record);
  EXPECT_EQ(wording.colour("dense"), 0u);
  EXPECT_EQ(wording.colour("alpha"), 1u);
  EXPECT_EQ(wording.colour("quest"), 2u);
  EXPECT_EQ(wording.colour("zeta"), 3u);
}

TEST(Wording, SaysTheWholePoint) {
  Record record{.context = {}, .points = std::vector(2, point("quest", 65536, 0.5, 100))};
  record.points[1].params["budget"] = 7;
  EXPECT_EQ(Wording(record).label(record.points[1]),
            "quest budget 7 (cpu), decode, llm, 8/2 heads, d128, bf16, N 64k, warm");
}

}  // namespace
}  // namespace attnscope::reports
