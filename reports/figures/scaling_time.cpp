// SPDX-License-Identifier: Apache-2.0
// How time grows with the context.
#include "reports/figure/plot.hpp"

namespace attnscope::reports {
namespace {

Figure describe(const Wording& wording, const Facet& facet) {
  const record::Record& record = wording.record();
  Figure figure{.name = {},
                .title = "Time against context length",
                .subtitle = {},
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
  return figure;
}

}  // namespace

Plot scaling_time() { return {.name = "scaling_time", .across = Across::kv_len, .describe = describe}; }

}  // namespace attnscope::reports
