// SPDX-License-Identifier: Apache-2.0
// Every plot that this build can draw.
#pragma once

#include <string>
#include <vector>

#include "harness/record/result.hpp"
#include "reports/figure/figure.hpp"

namespace attnscope::reports {

/// Draws one figure per facet of the record (phase, workload, shape, contract) that has something to show.
struct Plot {
  std::string name;
  std::vector<Figure> (*draw)(const record::Record& record);
};

/// In alphabetical order.
const std::vector<Plot>& plots();

/// All figures of all plots.
std::vector<Figure> draw_all(const record::Record& record);

}  // namespace attnscope::reports
