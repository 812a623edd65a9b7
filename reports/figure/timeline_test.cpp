// SPDX-License-Identifier: Apache-2.0
#include "reports/figure/timeline.hpp"

#include <gtest/gtest.h>

#include "harness/record/testing.hpp"

namespace attnscope::reports {
namespace {

using record::Record;

Record traced() {
  Record record{.context = {}, .points = {record::testing::point("quest", 1024, 0.5, 100)}};
  record::Stage select{.name = "select", .kind = "select", .median_ns = 2000, .kernels = {}, .counters = {}};
  select.kernels = {{.name = "void a::(anonymous namespace)::score_kernel<float>(Args)",
                     .start_ns = 0,
                     .duration_ns = 1000,
                     .stream = 7}};
  record::Stage attend{.name = "attend", .kind = "attend", .median_ns = 5000, .kernels = {}, .counters = {}};
  attend.kernels = {{.name = "attend_kernel", .start_ns = 1500, .duration_ns = 3000, .stream = 7},
                    {.name = "merge_kernel", .start_ns = 5000, .duration_ns = 500, .stream = 8}};
  record.points[0].stages = {select, attend};
  return record;
}

TEST(Timeline, PutsKernelsOnTheirStreamsBelowTheirStage) {
  const Record record = traced();
  const Figure figure = timeline_figure(record, 0);
  EXPECT_EQ(figure.y.categories, (std::vector<std::string>{"stream 7", "stream 8"}));
  ASSERT_EQ(figure.series.size(), 2u);
  const std::vector<Patch>& attend = figure.series[1].patches;
  ASSERT_EQ(attend.size(), 4u);            // two kernels, and the stage on either stream
  EXPECT_DOUBLE_EQ(attend[0].x_low, 1.5);  // µs
  EXPECT_DOUBLE_EQ(attend[0].x_high, 4.5);
  EXPECT_EQ(figure.series[0].patches[0].text, "score_kernel");
  EXPECT_LT(attend[0].y_high, attend[2].y_low);
}

TEST(Timeline, WithoutKernelsTheStagesFollowEachOther) {
  Record record = traced();
  for (record::Stage& stage : record.points[0].stages) stage.kernels.clear();
  const Figure figure = timeline_figure(record, 0);
  ASSERT_EQ(figure.series.size(), 2u);
  EXPECT_DOUBLE_EQ(figure.series[1].patches.at(0).x_low, 2);
  EXPECT_DOUBLE_EQ(figure.series[1].patches.at(0).x_high, 7);
  record.points[0].stages.clear();
  EXPECT_TRUE(timeline_figure(record, 0).series.empty());
}

TEST(Timeline, ShortensTheNamesOfKernels) {
  EXPECT_EQ(short_kernel_name("void a::b::(anonymous namespace)::split_kernel<x::y, 128>(z::Args)"), "split_kernel");
  EXPECT_EQ(short_kernel_name("plain"), "plain");
}

}  // namespace
}  // namespace attnscope::reports
