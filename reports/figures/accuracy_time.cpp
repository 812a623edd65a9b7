// SPDX-License-Identifier: Apache-2.0
// What accuracy costs in time, with the kernels there are.
#include "reports/figure/curves.hpp"
#include "reports/figure/text.hpp"

namespace attnscope::reports {
namespace {

std::optional<double> milliseconds(const record::Point& point) {
  if (!point.time) return std::nullopt;
  return point.time->median_ns / 1e6;
}

}  // namespace

std::vector<Figure> accuracy_time(const record::Record& record) {
  const Wording wording(record);
  std::vector<Figure> figures;
  for (const Facet& facet : facets(wording, Across::nothing)) {
    Figure figure{.name = "accuracy_time-" + slug(facet.title),
                  .title = "Output error against time",
                  .subtitle = facet.title,
                  .caption =
                      "Relative L2 error of the output against exact attention in double; median time of a whole "
                      "call, choosing included.",
                  .x = {"time (ms)", Scale::log10},
                  .y = {"relative L2 error", Scale::log10},
                  .series = {}};
    for (const Curve& curve : curves(wording, facet, {}))
      figure.series.push_back(
          series_of(wording, curve, milliseconds, [](const record::Point& point) { return point.accuracy.rel_l2; }));
    if (finish(figure) && distinct_x(figure) > 1) figures.push_back(std::move(figure));
  }
  return figures;
}

}  // namespace attnscope::reports
