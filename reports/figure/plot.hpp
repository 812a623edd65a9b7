// SPDX-License-Identifier: Apache-2.0
// A kind of figure, and the steps that all kinds share: which points, naming, leaving out what shows nothing.
#pragma once

#include <string_view>
#include <vector>

#include "reports/figure/curves.hpp"

namespace attnscope::reports {

struct Plot {
  std::string_view name;
  Across across;              // what a facet of it holds together
  bool longest_only = false;  // in a report, only the longest context of a family is drawn
  /// Title, caption, axes and series for one facet; the rest is done by draw().
  Figure (*describe)(const Wording& wording, const Facet& facet) = nullptr;
};

/// The finished figure of one facet. Without series when there is nothing to show: no point has what the axes ask for,
/// or curves have no two places to connect.
Figure draw(const Plot& plot, const Wording& wording, const Facet& facet);

/// The figures of all facets of a record (phase, workload, shape, contract) that have something to show.
std::vector<Figure> draw(const Plot& plot, const record::Record& record);

}  // namespace attnscope::reports
