// SPDX-License-Identifier: Apache-2.0
#include "reports/compare/comparison_figure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace attnscope::reports {
namespace {

struct Look {
  Verdict verdict;
  Style style;
};

// In the order of importance. Marker and colour both tell them apart.
constexpr std::array kLooks{
    Look{Verdict::wrong_now, {.colour = 0, .marker = 5}}, Look{Verdict::slower, {.colour = 2, .marker = 4}},
    Look{Verdict::faster, {.colour = 3, .marker = 2}},    Look{Verdict::ambiguous, {.colour = 5, .marker = 3}},
    Look{Verdict::missing, {.colour = 4, .marker = 1}},   Look{Verdict::added, {.colour = 6, .marker = 6}},
    Look{Verdict::same, {.colour = 7, .marker = 0}}};

std::size_t rank(Verdict verdict) {
  return static_cast<std::size_t>(std::ranges::find(kLooks, verdict, &Look::verdict) - kLooks.begin());
}

double change(const PointComparison& point) { return point.ratio ? std::abs(std::log(*point.ratio)) : 0; }

}  // namespace

void sort_by_importance(std::vector<PointComparison>& points) {
  std::ranges::stable_sort(points, [](const PointComparison& a, const PointComparison& b) {
    return rank(a.verdict) != rank(b.verdict) ? rank(a.verdict) < rank(b.verdict) : change(a) > change(b);
  });
}

Figure comparison_figure(std::span<const PointComparison> points, std::size_t most) {
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < points.size(); ++i)
    if (points[i].ratio && rows.size() < most) rows.push_back(i);
  std::ranges::reverse(rows);  // the most important on top

  Figure figure{
      .name = "comparison",
      .title = "Time of the new record over the base",
      .subtitle = fmt::format("{} of {} points, the most important on top", rows.size(), points.size()),
      .caption = "Ratio of the median times; bars: an interval that holds the true ratio. Right of 1 is slower.",
      .x = {"new / base", Scale::log10},
      .y = {},
      .series = {}};
  for (const std::size_t i : rows) figure.y.categories.push_back(points[i].label);
  for (const Look& look : kLooks) {
    Series bars{.name = "", .role = Role::patches, .style = look.style, .points = {}, .patches = {}};
    Series medians{
        .name = std::string(to_string(look.verdict)), .role = Role::cloud, .style = look.style, .points = {}};
    for (std::size_t row = 0; row < rows.size(); ++row) {
      const PointComparison& point = points[rows[row]];
      if (point.verdict != look.verdict) continue;
      const auto y = static_cast<double>(row);
      if (point.low && point.high)
        bars.patches.push_back({.x_low = *point.low,
                                .x_high = *point.high,
                                .y_low = y - 0.08,
                                .y_high = y + 0.08,
                                .text = {},
                                .label = point.reason,
                                .source = rows[row],
                                .strength = 0.6});
      medians.points.push_back({.x = *point.ratio, .y = y, .label = {}, .source = rows[row]});
    }
    figure.series.push_back(std::move(bars));
    figure.series.push_back(std::move(medians));
  }
  figure.series.push_back({.name = "no change",
                           .role = Role::guide,
                           .style = {},
                           .points = {{.x = 1, .y = -0.5}, {.x = 1, .y = static_cast<double>(rows.size()) - 0.5}}});
  if (!finish(figure)) figure.series.clear();
  return figure;
}

}  // namespace attnscope::reports
