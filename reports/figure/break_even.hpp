// SPDX-License-Identifier: Apache-2.0
// From which context length on a method is faster than the best dense kernel.
#pragma once

#include "reports/figure/curves.hpp"

namespace attnscope::reports {

struct BreakEven {
  std::string name;  // of the curve
  Style style;
  std::optional<double> context;  // nothing when the method stays slower, or was always faster
  bool always_faster = false;
  double longest = 0;                       // the longest context measured, and there
  double speedup_at_longest = 0;            // the speed-up
  std::optional<std::size_t> first_faster;  // index into Record::points
};

/// One per curve of `facet` (a family over context lengths) that has a dense baseline, dense itself left out. Between
/// two measured lengths the speed-up is taken to follow a power of the length. Of several crossings the last counts:
/// from there on the method stays faster.
std::vector<BreakEven> break_evens(const Wording& wording, const Facet& facet);

}  // namespace attnscope::reports
