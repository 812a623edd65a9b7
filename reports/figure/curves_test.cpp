// SPDX-License-Identifier: Apache-2.0
#include "reports/figure/curves.hpp"

#include <gtest/gtest.h>

#include "harness/record/testing.hpp"

namespace attnscope::reports {
namespace {

using record::Record;
using record::testing::point;

std::vector<std::string> names(const std::vector<Curve>& list) {
  std::vector<std::string> out;
  for (const Curve& curve : list) out.push_back(curve.name);
  return out;
}

using Names = std::vector<std::string>;

TEST(Facets, HoldOnlyPointsThatAreOk) {
  const Record record = record::testing::record();
  const auto across = facets(record, Across::kv_len);
  ASSERT_EQ(across.size(), 1u);
  EXPECT_EQ(across[0].points.size(), 12u);
  EXPECT_EQ(across[0].title, "decode, llm, 8/2 heads, d128, bf16, warm, CPU");
  EXPECT_EQ(facets(record, Across::nothing).size(), 4u);
}

TEST(Facets, SeparateWhatCannotShareAFigure) {
  Record record{.context = {}, .points = std::vector(6, point("dense", 1024, 1, 100))};
  record.points[1].contract = "cold";
  record.points[2].backend = Backend::cuda;
  record.points[3].shape.dtype = Dtype::f32;
  record.points[4].workload.seed = 2;
  record.points[5].phase = Phase::prefill;
  record.points[5].shape.q_len = 1024;
  const auto all = facets(record, Across::kv_len);
  EXPECT_EQ(all.size(), 6u);
  EXPECT_EQ(all[4].title, "decode, llm seed 2, 8/2 heads, d128, bf16, warm, CPU");
}

TEST(Facets, KeepPagedCachesAndHistoriesApart) {
  Record record{.context = {}, .points = std::vector(2, point("dense", 1024, 1, 100))};
  record.points[1].shape.cache_page = 16;
  record.points[1].shape.history = 64;
  const auto all = facets(record, Across::kv_len);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[1].title, "decode, llm, 8/2 heads, d128, bf16, history 64, cache pages of 16, warm, CPU");
}

TEST(Facets, NameTheWorkloadParametersThatVary) {
  Record record{.context = {}, .points = std::vector(2, point("dense", 1024, 1, 100))};
  record.points[0].workload.params = {{"kind", "sink"}, {"spread", 1}};
  record.points[1].workload.params = {{"kind", "slash"}, {"spread", 1}};
  EXPECT_EQ(facets(record, Across::kv_len)[1].title, "decode, llm (kind slash), 8/2 heads, d128, bf16, warm, CPU");
}

TEST(Curves, JoinParametersThatScaleWithTheContext) {
  const Record record = record::testing::record();
  EXPECT_EQ(names(curves(record, facets(record, Across::kv_len)[0], kv_len_of)),
            (Names{"dense", "quest", "streaming"}));
}

TEST(Curves, SplitByParametersWhereOneWouldHaveTwoPointsOfTheSameX) {
  Record record{.context = {}, .points = {}};
  for (const double density : {0.5, 0.0625})
    for (const std::int64_t n : {1024, 2048}) {
      record.points.push_back(point("quest", n, density, 100));
      record.points.back().params["budget"] = 1024 * density;
    }
  const Facet facet = facets(record, Across::kv_len)[0];
  EXPECT_EQ(names(curves(record, facet, kv_len_of)), (Names{"quest budget 64", "quest budget 512"}));
  EXPECT_EQ(names(curves(record, facet, {})), Names{"quest"});
}

TEST(Curves, TellBackendsApartOnlyWhereThereAreSeveral) {
  Record record{.context = {}, .points = std::vector(3, point("quest", 1024, 0.5, 100))};
  record.points[1].backend = Backend::reference;
  record.points[2] = point("dense", 1024, 1, 100);
  const auto list = curves(record, facets(record, Across::kv_len)[0], kv_len_of);
  EXPECT_EQ(names(list), (Names{"dense", "quest (reference)", "quest (cpu)"}));
  EXPECT_TRUE(list[1].style.dashed);
  EXPECT_EQ(list[1].style.colour, list[2].style.colour);
  EXPECT_NE(marker_of(list[1].style), marker_of(list[2].style));
  EXPECT_EQ(list[0].style.colour, 0u);  // dense is black, nothing else is
  EXPECT_NE(list[1].style.colour, 0u);
}

TEST(Curves, AMethodHasOneColourAllOverTheRecord) {
  Record record = record::testing::record();
  record.points.push_back(point("aaa", 1 << 20, 0.5, 100));
  record.points.back().phase = Phase::prefill;
  for (const Facet& facet : facets(record, Across::nothing))
    for (const Curve& curve : curves(record, facet, kv_len_of))
      if (curve.name == "quest") {
        EXPECT_EQ(curve.style.colour, 3u);  // after aaa and oracle_topk
      }
}

TEST(MethodCurves, CountEveryConfigurationOnce) {
  Record record{.context = {}, .points = std::vector(2, point("quest", 1024, 0.5, 100))};
  record.points[1].backend = Backend::reference;
  const auto list = method_curves(record, facets(record, Across::nothing)[0]);
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0].points, std::vector<std::size_t>{0});
}

TEST(GuideAcross, SpansTheCurves) {
  Figure figure{.name = "", .title = "", .subtitle = "", .caption = "", .x = {}, .y = {}, .series = {}};
  EXPECT_TRUE(guide_across(figure, "g", [](double x) { return x; }).points.empty());
  figure.series.push_back({.name = "a", .role = Role::curve, .style = {}, .points = {{2, 5}, {8, 5}, {4, 5}}});
  const Series guide = guide_across(figure, "g", [](double x) { return 10 * x; });
  ASSERT_EQ(guide.points.size(), 2u);
  EXPECT_EQ(guide.points[0].y, 20);
  EXPECT_EQ(guide.points[1].x, 8);
}

}  // namespace
}  // namespace attnscope::reports
