// SPDX-License-Identifier: Apache-2.0
#include "reports/figure/figure.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace attnscope::reports {
namespace {

Figure figure_of(std::vector<Series> series) {
  return {.name = "f",
          .title = "t",
          .subtitle = "",
          .caption = "Read it so.",
          .x = {"x", Scale::log2},
          .y = {"y", Scale::log10},
          .series = std::move(series)};
}

TEST(Finish, SortsByX) {
  Figure figure = figure_of({{.name = "a", .role = Role::curve, .style = {}, .points = {{4, 1}, {1, 2}, {2, 3}}}});
  EXPECT_TRUE(finish(figure));
  EXPECT_EQ(figure.series[0].points[0].x, 1);
  EXPECT_EQ(figure.series[0].points[2].x, 4);
}

TEST(Finish, TellsWhatALogarithmicAxisCannotShow) {
  Figure figure = figure_of({{.name = "a", .role = Role::curve, .style = {}, .points = {{1, 0}, {2, 3}, {4, NAN}}}});
  EXPECT_TRUE(finish(figure));
  EXPECT_EQ(figure.series[0].points.size(), 1u);
  EXPECT_EQ(figure.caption, "Read it so. 2 points cannot be shown on a logarithmic axis.");
}

TEST(Finish, AFigureOfGuidesAloneIsNone) {
  Figure figure = figure_of({{.name = "a", .role = Role::curve, .style = {}, .points = {{1, 0}}},
                             {.name = "roof", .role = Role::guide, .style = {}, .points = {{1, 1}, {2, 1}}}});
  EXPECT_FALSE(finish(figure));
}

TEST(Style, IndexesWrapAround) {
  EXPECT_EQ(marker_of({.colour = 0, .marker = kMarkers}), Marker::circle);
  EXPECT_EQ(colour_of({.colour = kPalette.size() + 1}).blue, kPalette[1].blue);
}

}  // namespace
}  // namespace attnscope::reports
