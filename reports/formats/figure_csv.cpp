// SPDX-License-Identifier: Apache-2.0
// The numbers behind a figure.
#include <fmt/format.h>

#include "reports/formats/escape.hpp"
#include "reports/formats/formats.hpp"

namespace attnscope::reports {
namespace {

std::string field(const std::optional<double>& value) { return value ? fmt::format("{}", *value) : ""; }

}  // namespace

std::string figure_csv(const Figure& figure) {
  std::string text =
      fmt::format("series,label,{},{},y_low,y_high,x_high\n", escape_csv(figure.x.title), escape_csv(figure.y.title));
  for (const Series& series : figure.series) {
    for (const DataPoint& point : series.points)
      text += fmt::format("{},{},{},{},{},{},\n", escape_csv(series.name), escape_csv(point.label), point.x, point.y,
                          field(point.y_low), field(point.y_high));
    for (const Patch& patch : series.patches)
      text += fmt::format("{},{},{},,{},{},{}\n", escape_csv(series.name), escape_csv(patch.label), patch.x_low,
                          patch.y_low, patch.y_high, patch.x_high);
  }
  return text;
}

}  // namespace attnscope::reports
