// SPDX-License-Identifier: Apache-2.0
#include "reports/figure/rows.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace attnscope::reports {

std::vector<Row> rows_of(const Wording& wording, const Facet& facet) {
  std::vector<Row> rows;
  for (const Curve& curve : curves(wording, facet, {}))
    for (const std::size_t i : curve.points) {
      const record::Point& point = wording.record().points[i];
      const std::string variant = wording.variant(point);
      rows.push_back({.point = i,
                      .text = fmt::format("{}{}{} ({})", point.method, variant.empty() ? "" : " ", variant,
                                          to_string(point.backend))});
    }
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i].y = static_cast<double>(rows.size() - 1 - i);
  return rows;
}

Axis row_axis(const std::vector<Row>& rows) {
  Axis axis;
  for (auto row = rows.rbegin(); row != rows.rend(); ++row) axis.categories.push_back(row->text);
  return axis;
}

Style stage_style(const std::string& kind) {
  if (kind == "attend") return {.colour = 1};
  if (kind == "select") return {.colour = 2};
  if (kind == "correct") return {.colour = 3};
  if (kind == "merge") return {.colour = 4};
  if (kind == "build") return {.colour = 5};
  return {.colour = 7};
}

}  // namespace attnscope::reports
