// SPDX-License-Identifier: Apache-2.0
// What accuracy costs in time, with the kernels there are.
#include "reports/figure/pareto.hpp"
#include "reports/figure/plot.hpp"

namespace attnscope::reports {

Plot accuracy_time() {
  return {
      .name = "accuracy_time", .across = Across::nothing, .describe = [](const Wording& wording, const Facet& facet) {
        return pareto_figure(wording, facet, cost("time"), accuracy("error"));
      }};
}

}  // namespace attnscope::reports
