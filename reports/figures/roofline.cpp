// SPDX-License-Identifier: Apache-2.0
// How near each call comes to what this machine was measured to be capable of (Williams, Waterman and Patterson 2009).
#include <algorithm>

#include "harness/record/derive.hpp"
#include "reports/figure/plot.hpp"
#include "reports/figure/quantities.hpp"
#include "reports/figure/text.hpp"

namespace attnscope::reports {
namespace {

// min(peak, bandwidth · intensity) over the intensities of `figure` and around the ridge.
std::optional<Series> roof(const Figure& figure, const record::DeviceCeilings& ceilings) {
  if (!ceilings.flops_per_s || !ceilings.read_bytes_per_s) return std::nullopt;
  const double ridge = *ceilings.flops_per_s / *ceilings.read_bytes_per_s;
  double low = ridge / 4;
  double high = ridge * 4;
  for (const Series& series : figure.series)
    for (const DataPoint& point : series.points) {
      low = std::min(low, point.x / 2);
      high = std::max(high, point.x * 2);
    }
  return Series{.name = "measured ceilings",
                .role = Role::guide,
                .style = {},
                .points = {{.x = low, .y = *ceilings.read_bytes_per_s * low},
                           {.x = ridge, .y = *ceilings.flops_per_s},
                           {.x = high, .y = *ceilings.flops_per_s}}};
}

Figure describe(const Wording& wording, const Facet& facet) {
  const record::Record& record = wording.record();
  Figure figure{.name = {},
                .title = "Roofline",
                .subtitle = {},
                .caption =
                    "Needed FLOPs (useful + select) over time, against needed FLOPs over modelled bytes. Roof: "
                    "read bandwidth and arithmetic rate as measured on this machine.",
                .x = {"needed FLOPs per modelled byte", Scale::log10},
                .y = {"needed FLOP/s", Scale::log10},
                .series = {}};
  const Quantity intensity = derived(record, &record::Derived::intensity);
  for (const Curve& curve : curves(wording, facet, {})) {
    Series series = series_of(wording, curve, intensity, [](const record::Point& point) -> std::optional<double> {
      if (!point.time) return std::nullopt;
      return record::needed_flops(point) / (point.time->median_ns / 1e9);
    });
    series.role = Role::cloud;
    for (DataPoint& point : series.points) point.label = binary(*kv_len_of(record.points[*point.source]));
    figure.series.push_back(std::move(series));
  }
  if (auto guide = roof(figure, record::device_ceilings(record, record.points[facet.points.front()])))
    figure.series.push_back(std::move(*guide));
  return figure;
}

}  // namespace

Plot roofline() { return {.name = "roofline", .across = Across::kv_len, .describe = describe}; }

}  // namespace attnscope::reports
