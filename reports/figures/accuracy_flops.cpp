// SPDX-License-Identifier: Apache-2.0
// What accuracy costs in arithmetic, independent of any implementation: the curve of each method as its knob turns.
#include "reports/figure/pareto.hpp"

namespace attnscope::reports {

std::vector<Figure> accuracy_flops(const record::Record& record) {
  const Wording wording(record);
  std::vector<Figure> figures;
  for (const Facet& facet : facets(wording, Across::nothing)) {
    Figure figure = pareto_figure(wording, facet, cost("flops"), accuracy("error"));
    if (distinct_x(figure) > 1) figures.push_back(std::move(figure));
  }
  return figures;
}

}  // namespace attnscope::reports
