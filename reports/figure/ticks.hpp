// SPDX-License-Identifier: Apache-2.0
// Where an axis is marked, and with what text.
#pragma once

#include <string>
#include <vector>

#include "reports/figure/figure.hpp"

namespace attnscope::reports {

struct Tick {
  double value = 0;
  std::string label;  // empty for a minor tick
};

struct Range {
  double low = 0;
  double high = 1;
};

/// The range an axis should span to show values from `low` to `high` (both positive on a logarithmic axis): whole
/// steps of the scale, with room around a single value.
Range nice_range(Scale scale, double low, double high);

/// Ascending, within `range`; at most about nine of them labelled.
std::vector<Tick> ticks(Scale scale, Range range);

/// The same for an axis, whose categories each stand in the middle of a step of 1.
Range nice_range(const Axis& axis, double low, double high);
std::vector<Tick> ticks(const Axis& axis, Range range);

/// Where `value` lies in `range`: 0 at its low end, 1 at its high end.
double position(Scale scale, Range range, double value);

}  // namespace attnscope::reports
