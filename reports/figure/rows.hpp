// SPDX-License-Identifier: Apache-2.0
// Figures that list points as rows, one bar each: the first on top.
#pragma once

#include "reports/figure/curves.hpp"

namespace attnscope::reports {

/// A row of the list: a point of the record, its text, and the height of its middle on the y axis.
struct Row {
  std::size_t point = 0;
  std::string text;
  double y = 0;
};

inline constexpr double kBarHalfHeight = 0.36;  // rows are 1 apart

/// The points of `facet` in the order of its curves: "quest budget 1024 (cuda)".
std::vector<Row> rows_of(const Wording& wording, const Facet& facet);

/// The texts of `rows` as categories of the y axis.
Axis row_axis(const std::vector<Row>& rows);

/// Colour of a kind of stage, the same in every figure: build, select, attend, correct, merge, anything else.
Style stage_style(const std::string& kind);

}  // namespace attnscope::reports
