// SPDX-License-Identifier: Apache-2.0
#include "reports/formats/svg_layout.hpp"

#include <algorithm>
#include <limits>
#include <set>

#include "reports/figure/text.hpp"

namespace attnscope::reports {
namespace {

constexpr double kLabelSize = 10;
constexpr double kMarkerReach = 5;

struct Extent {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  void take(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

bool tells_apart(const Series& series) {
  std::set<std::string> texts;
  for (const DataPoint& point : series.points) texts.insert(point.label);
  return texts.size() > 1;
}

}  // namespace

double text_width(const std::string& text, double size) { return 0.58 * size * static_cast<double>(width(text)); }

SvgLayout::SvgLayout(const Figure& figure) : figure_(figure) {
  Extent across;
  Extent up;
  double legend = 60;
  double categories = 0;
  for (const std::string& text : figure.y.categories) categories = std::max(categories, text_width(text, 12));
  for (const Series& series : figure.series) {
    legend = std::max(legend, 34 + text_width(series.name, 12));
    for (const DataPoint& point : series.points) {
      across.take(point.x);
      up.take(point.y);
      // The lower end of an error bar may be 0, which a logarithmic axis cannot show: the bar is clipped there.
      if (point.y_high) up.take(*point.y_high);
      if (point.y_low && (figure.y.scale == Scale::linear || *point.y_low > 0)) up.take(*point.y_low);
    }
    for (const Patch& patch : series.patches) {
      across.take(patch.x_low);
      across.take(patch.x_high);
      up.take(patch.y_low);
      up.take(patch.y_high);
    }
  }
  x_range_ = nice_range(figure.x, across.low, across.high);
  y_range_ = nice_range(figure.y, up.low, up.high);
  const double entries = 18 * static_cast<double>(std::max(figure.series.size(), figure.y.categories.size()));
  const double left = std::max(72.0, categories + 16);
  plot_ = {.left = left, .top = 56, .right = left + 520, .bottom = 56 + std::max(320.0, entries)};
  const double titles = plot_.left + std::max(text_width(figure.title, 15), text_width(figure.subtitle, 12));
  page_width_ = std::max(legend_left() + legend, titles) + 12;
}

double SvgLayout::x(double value) const {
  return plot_.left + position(figure_.x.scale, x_range_, value) * (plot_.right - plot_.left);
}

double SvgLayout::y(double value) const {
  const double at =
      position(figure_.y.scale, y_range_, std::max(value, figure_.y.scale == Scale::linear ? value : y_range_.low));
  return plot_.bottom - at * (plot_.bottom - plot_.top);
}

std::vector<PlacedLabel> SvgLayout::labels() const {
  std::vector<Box> taken;
  for (const Series& series : figure_.series)
    if (series.role != Role::guide)
      for (const DataPoint& point : series.points)
        taken.push_back({x(point.x) - kMarkerReach, y(point.y) - kMarkerReach, x(point.x) + kMarkerReach,
                         y(point.y) + kMarkerReach});

  std::vector<PlacedLabel> placed;
  for (const Series& series : figure_.series) {
    if (series.role == Role::guide || !tells_apart(series)) continue;
    for (const DataPoint& point : series.points) {
      const double wide = text_width(point.label, kLabelSize);
      // Right above, right below, left above, left below the marker: the first that is free.
      for (const auto& [dx, dy] : {std::pair{7.0, -4.0}, {7.0, 12.0}, {-7.0 - wide, -4.0}, {-7.0 - wide, 12.0}}) {
        const PlacedLabel label{point.label, x(point.x) + dx, y(point.y) + dy};
        const Box box{label.x, label.y - kLabelSize, label.x + wide, label.y + 2};
        const bool inside =
            box.left >= plot_.left && box.right <= plot_.right && box.top >= plot_.top && box.bottom <= plot_.bottom;
        if (!inside || std::ranges::any_of(taken, [&](const Box& other) { return box.overlaps(other); })) continue;
        taken.push_back(box);
        placed.push_back(label);
        break;
      }
    }
  }
  return placed;
}

}  // namespace attnscope::reports
