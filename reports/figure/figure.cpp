// SPDX-License-Identifier: Apache-2.0
#include "reports/figure/figure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace attnscope::reports {
namespace {

bool fits(const Axis& axis, double value) { return std::isfinite(value) && (axis.scale == Scale::linear || value > 0); }

}  // namespace

Rgb patch_colour(const Style& style, const Patch& patch) {
  const Rgb full = colour_of(style);
  const auto mix = [&](std::uint8_t channel) {
    return static_cast<std::uint8_t>(std::lround(255 + patch.strength * (channel - 255)));
  };
  return {mix(full.red), mix(full.green), mix(full.blue)};
}

bool is_dark(const Rgb& colour) {
  return 0.299 * colour.red + 0.587 * colour.green + 0.114 * colour.blue < 140;  // luma of ITU-R BT.601
}

bool finish(Figure& figure) {
  std::size_t removed = 0;
  for (Series& series : figure.series) {
    removed += std::erase_if(
        series.points, [&](const DataPoint& point) { return !fits(figure.x, point.x) || !fits(figure.y, point.y); });
    removed += std::erase_if(series.patches, [&](const Patch& patch) {
      return !fits(figure.x, patch.x_low) || !fits(figure.x, patch.x_high) || !fits(figure.y, patch.y_low) ||
             !fits(figure.y, patch.y_high);
    });
    std::ranges::stable_sort(series.points, {}, &DataPoint::x);
  }
  std::erase_if(figure.series, [](const Series& series) { return series.points.empty() && series.patches.empty(); });
  if (removed > 0)
    figure.caption +=
        fmt::format(" {} point{} cannot be shown on a logarithmic axis.", removed, removed == 1 ? "" : "s");
  return std::ranges::any_of(figure.series, [](const Series& series) { return series.role != Role::guide; });
}

}  // namespace attnscope::reports
