// SPDX-License-Identifier: Apache-2.0
// How time grows with the context.
#include "reports/figure/curves.hpp"
#include "reports/figure/text.hpp"

namespace attnscope::reports {

std::vector<Figure> scaling_time(const record::Record& record) {
  const Wording wording(record);
  std::vector<Figure> figures;
  for (const Facet& facet : facets(wording, Across::kv_len)) {
    Figure figure{.name = "scaling_time-" + slug(facet.title),
                  .title = "Time against context length",
                  .subtitle = facet.title,
                  .caption =
                      "Median time of a whole call, choosing included; bars: 95 % confidence interval of the "
                      "median.",
                  .x = {"context (keys)", Scale::log2},
                  .y = {"time (ms)", Scale::log10},
                  .series = {}};
    for (const Curve& curve : curves(wording, facet, kv_len_of)) {
      Series series = series_of(wording, curve, kv_len_of, [](const record::Point& point) -> std::optional<double> {
        if (!point.time) return std::nullopt;
        return point.time->median_ns / 1e6;
      });
      for (DataPoint& point : series.points) {
        const record::Time& time = *record.points[*point.source].time;
        point.y_low = time.ci_low_ns / 1e6;
        point.y_high = time.ci_high_ns / 1e6;
      }
      figure.series.push_back(std::move(series));
    }
    if (finish(figure) && distinct_x(figure) > 1) figures.push_back(std::move(figure));
  }
  return figures;
}

}  // namespace attnscope::reports
