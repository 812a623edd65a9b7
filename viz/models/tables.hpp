// SPDX-License-Identifier: Apache-2.0
// What the small tables of the pages say.
#pragma once

#include "reports/compare/compare.hpp"
#include "viz/data/dataset.hpp"
#include "viz/models/rows_model.hpp"

namespace attnscope::viz {

std::vector<RowsColumn> breakEvenColumns();
/// One row per method of a family: from which context length on it is faster than the best dense kernel.
std::vector<TableRow> breakEvenRows(const Dataset& dataset, const reports::Facet& family);

std::vector<RowsColumn> comparisonColumns();
/// One row per compared point, in the order given, with both times and how near each comes to the limits measured on
/// its own machine.
std::vector<TableRow> comparisonRows(const std::vector<reports::PointComparison>& points, const Dataset& base,
                                     const Dataset& current);

std::vector<RowsColumn> environmentColumns();
/// Everything the context of the record says, but for its config, beside that of the baseline (may be null); what
/// differs is emphasised. Then the tiers that the points reached, and why no higher one.
std::vector<TableRow> environmentRows(const Dataset& dataset, const Dataset* baseline);

/// How near a point comes to the roof of its machine: needed FLOP/s over the smaller of the arithmetic ceiling and the
/// read bandwidth times its FLOPs per byte.
std::optional<double> roofShare(const Dataset& dataset, std::size_t i);

}  // namespace attnscope::viz
