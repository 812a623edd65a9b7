// SPDX-License-Identifier: Apache-2.0
// What accuracy costs in arithmetic, independent of any implementation: the curve of each method as its knob turns.
#include "reports/figure/pareto.hpp"
#include "reports/figure/plot.hpp"

namespace attnscope::reports {

Plot accuracy_flops() {
  return {
      .name = "accuracy_flops", .across = Across::nothing, .describe = [](const Wording& wording, const Facet& facet) {
        return pareto_figure(wording, facet, cost("flops"), accuracy("error"));
      }};
}

}  // namespace attnscope::reports
