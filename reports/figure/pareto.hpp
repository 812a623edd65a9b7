// SPDX-License-Identifier: Apache-2.0
// Accuracy against cost: the curve of each method as its knob turns, and the front that nobody beats.
#pragma once

#include "reports/figure/quantities.hpp"

namespace attnscope::reports {

/// The points of `facet`, one curve per method (and per backend, where the cost depends on the kernel), with the Pareto
/// front as a guide: a staircase through the points that no other point beats in both quantities. Beaten points are
/// dimmed. Finished; without series when nothing can be shown.
Figure pareto_figure(const Wording& wording, const Facet& facet, const NamedQuantity& cost,
                     const NamedQuantity& accuracy);

/// The point of best accuracy among those of `figure` whose cost is at most `budget`, as an index into Record::points;
/// nothing when none is that cheap. Of equals the cheapest.
std::optional<std::size_t> best_within(const Figure& figure, double budget, bool higher_is_better);

}  // namespace attnscope::reports
