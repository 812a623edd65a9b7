// SPDX-License-Identifier: Apache-2.0
// What accuracy costs in time, with the kernels there are.
#include "reports/figure/pareto.hpp"

namespace attnscope::reports {

std::vector<Figure> accuracy_time(const record::Record& record) {
  const Wording wording(record);
  std::vector<Figure> figures;
  for (const Facet& facet : facets(wording, Across::nothing)) {
    Figure figure = pareto_figure(wording, facet, cost("time"), accuracy("error"));
    if (distinct_x(figure) > 1) figures.push_back(std::move(figure));
  }
  return figures;
}

}  // namespace attnscope::reports
