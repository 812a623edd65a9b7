// SPDX-License-Identifier: Apache-2.0
// Every plot, against the properties that a reader relies on.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <set>

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
  }
  return record;
}

Figure first(const std::string& name, const Record& record) {
  for (const Plot& plot : plots())
    if (plot.name == name) return plot.draw(record).at(0);
  throw std::out_of_range(name);
}

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
  for (const Plot& plot : plots()) names.insert(plot.name);
  EXPECT_EQ(names, files);
}

TEST(Plots, DrawWhatTheAxesCanShowFromPointsThatAreOk) {
  const Record record = rich();
  std::set<std::string> file_names;
  for (const Plot& plot : plots()) {
    const auto figures = plot.draw(record);
    EXPECT_FALSE(figures.empty()) << plot.name;
    for (const Figure& figure : figures) {
      EXPECT_TRUE(file_names.insert(figure.name).second) << figure.name;
      for (const std::string& text : {figure.title, figure.subtitle, figure.caption, figure.x.title, figure.y.title})
        EXPECT_FALSE(text.empty()) << figure.name;
      for (const Series& one : figure.series)
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

TEST(BytesModelVsDram, AddsReadsAndWrites) {
  const DataPoint point = series(first("bytes_model_vs_dram", rich()), "quest").points[0];
  EXPECT_DOUBLE_EQ(point.y, 1.5 * point.x);
}

TEST(BytesModelVsDram, IsNotDrawnWithoutCounters) {
  for (const Plot& plot : plots())
    if (plot.name == "bytes_model_vs_dram") {
      EXPECT_TRUE(plot.draw(record::testing::record()).empty());
    }
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
