// SPDX-License-Identifier: Apache-2.0
// What accuracy costs in arithmetic, independent of any implementation: the curve of each method as its knob turns.
#include "harness/record/derive.hpp"
#include "reports/figure/curves.hpp"
#include "reports/figure/text.hpp"

namespace attnscope::reports {

std::vector<Figure> accuracy_flops(const record::Record& record) {
  const Wording wording(record);
  std::vector<Figure> figures;
  for (const Facet& facet : facets(wording, Across::nothing)) {
    Figure figure{.name = "accuracy_flops-" + slug(facet.title),
                  .title = "Output error against FLOPs needed",
                  .subtitle = facet.title,
                  .caption =
                      "Relative L2 error of the output against exact attention in double; FLOPs on the attended "
                      "pairs plus those spent on choosing them.",
                  .x = {"useful + select FLOPs per call", Scale::log10},
                  .y = {"relative L2 error", Scale::log10},
                  .series = {}};
    for (const Curve& curve : method_curves(wording, facet))
      figure.series.push_back(series_of(wording, curve, record::needed_flops,
                                        [](const record::Point& point) { return point.accuracy.rel_l2; }));
    if (finish(figure) && distinct_x(figure) > 1) figures.push_back(std::move(figure));
  }
  return figures;
}

}  // namespace attnscope::reports
