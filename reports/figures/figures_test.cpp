// SPDX-License-Identifier: Apache-2.0
// Every plot, against the properties that a reader relies on.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <set>

#include "harness/base/error.hpp"
#include "harness/record/testing.hpp"
#include "reports/figures/plots.hpp"

namespace attnscope::reports {
namespace {

using record::Record;

// A record in which every plot finds something to show.
Record rich() {
  Record record = record::testing::record();
  for (record::Point& point : record.points) {
    if (point.status != record::Status::ok) continue;
    point.flops.executed = 1.5 * (point.flops.useful + point.flops.select);
    point.bytes.dram_read = 1.25 * point.bytes.model;
    point.bytes.dram_write = 0.25 * point.bytes.model;
    point.workspace_bytes = 1 << 20;
    record::Stage select{.name = "select",
                         .kind = "select",
                         .median_ns = 1e5,
                         .flops = 1e6,
                         .bytes = 2e6,
                         .kernels = {},
                         .counters = {}};
    record::Stage attend{.name = "attend",
                         .kind = "attend",
                         .median_ns = 3e5,
                         .flops = 4e6,
                         .bytes = 3e6,
                         .kernels = {},
                         .counters = {}};
    record::Stage build{
        .name = "build", .kind = "build", .median_ns = 9e5, .flops = 7e6, .bytes = 8e6, .kernels = {}, .counters = {}};
    if (point.method == "dense")
      point.stages = {attend};
    else
      point.stages = {build, select, attend};
  }
  return record;
}

Figure first(const std::string& name, const Record& record) { return draw(plot(name), record).at(0); }

Series series(const Figure& figure, const std::string& name) {
  for (const Series& one : figure.series)
    if (one.name == name) return one;
  throw std::out_of_range(name);
}

TEST(Plots, AreTheFilesOfTheFolder) {
  std::set<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(ATTNSCOPE_SOURCE_DIR "/reports/figures"))
    if (entry.path().extension() == ".cpp" && !entry.path().stem().string().ends_with("_test"))
      files.insert(entry.path().stem());
  std::set<std::string> names;
  for (const Plot& plot : plots()) names.insert(std::string(plot.name));
  EXPECT_EQ(names, files);
}

TEST(Plots, DrawWhatTheAxesCanShowFromPointsThatAreOk) {
  const Record record = rich();
  std::set<std::string> file_names;
  for (const Plot& plot : plots()) {
    const auto figures = draw(plot, record);
    EXPECT_FALSE(figures.empty()) << plot.name;
    for (const Figure& figure : figures) {
      EXPECT_TRUE(file_names.insert(figure.name).second) << figure.name;
      for (const std::string& text : {figure.title, figure.subtitle, figure.caption, figure.x.title})
        EXPECT_FALSE(text.empty()) << figure.name;
      EXPECT_FALSE(figure.y.title.empty() && figure.y.categories.empty()) << figure.name;
      for (const Series& one : figure.series) {
        for (const Patch& patch : one.patches) {
          EXPECT_LT(patch.x_low, patch.x_high) << figure.name;
          EXPECT_LT(patch.y_low, patch.y_high) << figure.name;
          EXPECT_EQ(record.points.at(patch.source.value()).status, record::Status::ok);
        }
        for (std::size_t i = 0; i < one.points.size(); ++i) {
          const DataPoint& point = one.points[i];
          EXPECT_TRUE(std::isfinite(point.x) && std::isfinite(point.y));
          EXPECT_TRUE(i == 0 || one.points[i - 1].x <= point.x);
          EXPECT_EQ(point.source.has_value(), one.role != Role::guide);
          if (point.source) {
            EXPECT_EQ(record.points.at(*point.source).status, record::Status::ok);
          }
        }
      }
    }
  }
}

TEST(Plots, AreFoundByName) {
  EXPECT_EQ(plot("roofline").name, "roofline");
  EXPECT_THROW(plot("no_such_plot"), InputError);
}

TEST(Plots, AnEmptyRecordHasNoFigures) {
  EXPECT_TRUE(draw_all({.context = record::testing::context(), .points = {}}).empty());
}

TEST(ScalingTime, ShowsMediansInMillisecondsWithTheirIntervals) {
  const Series quest = series(first("scaling_time", rich()), "quest");
  ASSERT_EQ(quest.points.size(), 4u);
  EXPECT_DOUBLE_EQ(quest.points[0].x, 65536);
  EXPECT_DOUBLE_EQ(quest.points[0].y, 0.5);
  EXPECT_DOUBLE_EQ(*quest.points[0].y_low, 0.99 * 0.5);
  EXPECT_DOUBLE_EQ(*quest.points[0].y_high, 1.01 * 0.5);
}

TEST(ScalingFlops, ShowsNeededAndExecutedApart) {
  const Figure figure = first("scaling_flops", rich());
  EXPECT_DOUBLE_EQ(series(figure, "quest, executed").points[2].y, 1.5 * series(figure, "quest").points[2].y);
  EXPECT_TRUE(series(figure, "quest, executed").style.dashed);
}

TEST(SpeedupContext, ComparesWithDenseAndLeavesDenseOut) {
  const Figure figure = first("speedup_context", rich());
  EXPECT_DOUBLE_EQ(series(figure, "quest").points[0].y, 8);
  EXPECT_EQ(series(figure, "dense").role, Role::guide);
}

TEST(StageTime, StacksTheStagesOfACallAndSetsBuildingApart) {
  const Record record = rich();
  const Figure figure = first("stage_time", record);
  ASSERT_EQ(figure.y.categories.size(), 3u);
  const auto patch = [&](const std::string& kind) {
    for (const Patch& one : series(figure, kind).patches)
      if (record.points[*one.source].method == "quest") return one;
    throw std::out_of_range(kind);
  };
  EXPECT_DOUBLE_EQ(patch("select").x_low, 0);
  EXPECT_DOUBLE_EQ(patch("select").x_high, 0.1);  // ms
  EXPECT_DOUBLE_EQ(patch("attend").x_low, 0.1);
  EXPECT_DOUBLE_EQ(patch("attend").x_high, 0.4);
  EXPECT_DOUBLE_EQ(patch("outside stages").x_high, 3.3);  // the median of the whole call at 512k
  EXPECT_DOUBLE_EQ(patch("build").x_low, 3.3);
  EXPECT_LT(patch("build").strength, 1);
}

TEST(StageTime, InAReportShowsTheLongestContextOnly) {
  EXPECT_EQ(draw(plot("stage_time"), rich()).size(), 1u);
  EXPECT_EQ(draw(plot("accuracy_flops"), rich()).size(), 4u);
}

TEST(BreakEvenMap, ShowsTheFastestMethodOfEachCellPaleWhereDenseIsFaster) {
  Record record = rich();
  for (record::Point& point : record.points)
    if (point.method == "streaming" && point.time) point.time->median_ns *= 1000;
  const Figure figure = first("break_even_map", record);
  EXPECT_EQ(figure.x.categories, (std::vector<std::string>{"64k", "128k", "256k", "512k"}));
  EXPECT_EQ(figure.y.categories, (std::vector<std::string>{"3.12 %", "6.25 %", "100 %"}));
  EXPECT_EQ(series(figure, "quest").patches.at(0).strength, 1);
  EXPECT_EQ(series(figure, "quest").patches.at(0).text, "8.00×");
  EXPECT_LT(series(figure, "streaming").patches.at(0).strength, 1);
  EXPECT_DOUBLE_EQ(series(figure, "faster than dense below").points.at(0).y, 1.5);  // the upper edge of quest's row
}

TEST(RooflineAccuracy, PutsEveryPointIntoItsBand) {
  const Record record = rich();
  std::size_t points = 0;
  for (const Series& one : first("roofline_accuracy", record).series)
    for (const DataPoint& point : one.points)
      if (point.source) {
        ++points;
        EXPECT_EQ(one.name == "error < 0.01", *record.points[*point.source].accuracy.rel_l2 < 0.01);
      }
  EXPECT_EQ(points, 12u);
}

TEST(BytesModelVsDram, AddsReadsAndWrites) {
  const DataPoint point = series(first("bytes_model_vs_dram", rich()), "quest").points[0];
  EXPECT_DOUBLE_EQ(point.y, 1.5 * point.x);
}

TEST(BytesModelVsDram, IsNotDrawnWithoutCounters) {
  EXPECT_TRUE(draw(plot("bytes_model_vs_dram"), record::testing::record()).empty());
}

TEST(Roofline, TheRoofBendsAtTheRidge) {
  const Series roof = series(first("roofline", rich()), "measured ceilings");
  ASSERT_EQ(roof.points.size(), 3u);
  EXPECT_DOUBLE_EQ(roof.points[1].x, 1e11 / 2e10);
  EXPECT_DOUBLE_EQ(roof.points[1].y, 1e11);
  EXPECT_DOUBLE_EQ(roof.points[0].y, 2e10 * roof.points[0].x);
  EXPECT_DOUBLE_EQ(roof.points[2].y, 1e11);
}

TEST(AccuracyFlops, CountsChoosing) {
  const Record record = rich();
  const DataPoint point = series(first("accuracy_flops", record), "quest").points[0];
  EXPECT_DOUBLE_EQ(point.x, record.points[1].flops.useful + record.points[1].flops.select);
  EXPECT_DOUBLE_EQ(point.y, *record.points[1].accuracy.rel_l2);
}

}  // namespace
}  // namespace attnscope::reports
