// SPDX-License-Identifier: Apache-2.0
// A comparison as a figure.
#pragma once

#include <span>

#include "reports/compare/compare.hpp"
#include "reports/figure/figure.hpp"

namespace attnscope::reports {

/// What asks for attention first: wrong, slower, faster, ambiguous, missing, new, same; within a verdict the largest
/// change first.
void sort_by_importance(std::vector<PointComparison>& points);

/// The ratio new / base with its interval, one row per point that has one, the first `most` of them; the colour is the
/// verdict. A row's source is its index into `points`.
Figure comparison_figure(std::span<const PointComparison> points, std::size_t most = 60);

}  // namespace attnscope::reports
