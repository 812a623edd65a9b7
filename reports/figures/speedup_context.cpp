// SPDX-License-Identifier: Apache-2.0
// From which context length on a method pays.
#include "harness/record/derive.hpp"
#include "reports/figure/curves.hpp"
#include "reports/figure/text.hpp"

namespace attnscope::reports {

std::vector<Figure> speedup_context(const record::Record& record) {
  const Wording wording(record);
  std::vector<Figure> figures;
  for (const Facet& facet : facets(wording, Across::kv_len)) {
    Figure figure{.name = "speedup_context-" + slug(facet.title),
                  .title = "Speed-up over dense attention",
                  .subtitle = facet.title,
                  .caption =
                      "Median time of the fastest dense backend on the same inputs and device, over median time of "
                      "the method. Below 1 the method is slower than dense.",
                  .x = {"context (keys)", Scale::log2},
                  .y = {"speed-up over dense", Scale::log10},
                  .series = {}};
    for (const Curve& curve : curves(wording, facet, kv_len_of)) {
      if (record.points[curve.points.front()].method == "dense") continue;
      figure.series.push_back(series_of(wording, curve, kv_len_of, [&](const record::Point& point) {
        return record::derive(record, point).speedup_over_dense;
      }));
    }
    figure.series.push_back(guide_across(figure, "dense", [](double) { return 1.0; }));
    if (finish(figure) && distinct_x(figure) > 1) figures.push_back(std::move(figure));
  }
  return figures;
}

}  // namespace attnscope::reports
