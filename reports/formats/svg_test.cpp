// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>

#include "harness/record/testing.hpp"
#include "reports/figures/plots.hpp"
#include "reports/formats/formats.hpp"
#include "reports/formats/svg_layout.hpp"

namespace attnscope::reports {
namespace {

Figure crowded() {
  Figure figure{.name = "f",
                .title = "Crowded",
                .subtitle = "s",
                .caption = "c",
                .x = {"x", Scale::log2},
                .y = {"y", Scale::log10},
                .series = {}};
  for (int s = 0; s < 6; ++s) {
    Series series{.name = "series " + std::to_string(s), .role = Role::curve, .style = {}, .points = {}};
    for (int i = 0; i < 6; ++i)
      series.points.push_back({.x = std::exp2(i), .y = 1 + 0.02 * s, .label = "budget " + std::to_string(1 << i)});
    figure.series.push_back(series);
  }
  return figure;
}

TEST(SvgLayout, LabelsOverlapNeitherEachOtherNorMarkers) {
  const Figure figure = crowded();
  const SvgLayout layout(figure);
  std::vector<Box> boxes;
  for (const PlacedLabel& label : layout.labels())
    boxes.push_back({label.x, label.y - 10, label.x + text_width(label.text, 10), label.y + 2});
  ASSERT_GT(boxes.size(), 5u);
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) EXPECT_FALSE(boxes[i].overlaps(boxes[j]));
    for (const Series& series : figure.series)
      for (const DataPoint& point : series.points) {
        const double x = layout.x(point.x), y = layout.y(point.y);
        EXPECT_FALSE(boxes[i].overlaps({x - 4, y - 4, x + 4, y + 4}));
      }
  }
}

TEST(SvgLayout, EverythingLiesOnThePage) {
  for (const Figure& figure : draw_all(record::testing::record())) {
    const SvgLayout layout(figure);
    for (std::size_t i = 0; i < figure.series.size(); ++i) {
      EXPECT_LE(layout.legend_line(i), layout.plot().bottom);
      EXPECT_LE(layout.legend_left() + 31 + text_width(figure.series[i].name, 12), layout.page_width());
      for (const DataPoint& point : figure.series[i].points) {
        EXPECT_GE(layout.x(point.x), layout.plot().left - 0.01);
        EXPECT_LE(layout.x(point.x), layout.plot().right + 0.01);
        EXPECT_GE(layout.y(point.y), layout.plot().top - 0.01);
        EXPECT_LE(layout.y(point.y), layout.plot().bottom + 0.01);
      }
    }
  }
}

TEST(SvgLayout, PointsThatOneLabelWouldNotTellApartHaveNone) {
  Figure figure = crowded();
  for (Series& series : figure.series)
    for (DataPoint& point : series.points) point.label = "budget 1024";
  EXPECT_TRUE(SvgLayout(figure).labels().empty());
}

Figure bars() {
  return {
      .name = "b",
      .title = "Bars",
      .subtitle = "s",
      .caption = "c",
      .x = {"ms", Scale::linear},
      .y = {"", Scale::linear, {"quest & dense"}},
      .series = {
          {.name = "attend",
           .role = Role::patches,
           .style = {.colour = 1},
           .points = {},
           .patches = {{.x_low = 0, .x_high = 4, .y_low = -0.4, .y_high = 0.4, .text = "4 ms", .label = "<attend>"},
                       {.x_low = 4, .x_high = 4.01, .y_low = -0.4, .y_high = 0.4, .text = "10 us", .strength = 0.5}}}}};
}

TEST(Svg, PatchesAreRectanglesWithTheirTextWhereItFits) {
  const std::string text = svg(bars());
  EXPECT_NE(text.find("fill=\"#0072b2\" stroke=\"#fff\" stroke-width=\"0.5\"><title>&lt;attend&gt;</title></rect>"),
            std::string::npos);
  EXPECT_NE(text.find("fill=\"#80b9d9\""), std::string::npos);  // half of the colour
  EXPECT_NE(text.find(">4 ms</text>"), std::string::npos);
  EXPECT_EQ(text.find(">10 us</text>"), std::string::npos);
  EXPECT_NE(text.find(">quest &amp; dense</text>"), std::string::npos);
}

TEST(Pgfplots, PatchesAreFilledAndListedOnce) {
  const std::string text = pgfplots(bars());
  EXPECT_NE(text.find("coordinates {(0,-0.4) (4,-0.4) (4,0.4) (0,0.4)} -- cycle;  % <attend>"), std::string::npos);
  EXPECT_NE(text.find("yticklabels={{quest \\& dense}}"), std::string::npos);
  EXPECT_EQ(text.find("\\addlegendentry{attend}"), text.rfind("\\addlegendentry{attend}"));
  EXPECT_NE(text.find("\\addlegendentry{attend}"), std::string::npos);
}

TEST(FigureCsv, HasALinePerPointAndPatch) {
  const std::string text = figure_csv(bars());
  EXPECT_EQ(text.substr(0, text.find('\n')), "series,label,ms,,y_low,y_high,x_high");
  EXPECT_NE(text.find("attend,<attend>,0,,-0.4,0.4,4\n"), std::string::npos);
  EXPECT_NE(figure_csv(crowded()).find("series 0,budget 1,1,1,,,\n"), std::string::npos);
}

}  // namespace
}  // namespace attnscope::reports
