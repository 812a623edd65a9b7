// SPDX-License-Identifier: Apache-2.0
#include "reports/figure/break_even.hpp"

#include <algorithm>
#include <cmath>

#include "reports/figure/quantities.hpp"

namespace attnscope::reports {
namespace {

// Where the line through two points of (log length, log speed-up) passes a speed-up of 1.
double crossing(const DataPoint& below, const DataPoint& above) {
  const double share = std::log(below.y) / (std::log(below.y) - std::log(above.y));
  return below.x * std::pow(above.x / below.x, share);
}

BreakEven of_curve(Series series) {
  std::ranges::sort(series.points, {}, &DataPoint::x);
  const std::vector<DataPoint>& points = series.points;
  BreakEven out{.name = series.name,
                .style = series.style,
                .context = {},
                .longest = points.back().x,
                .speedup_at_longest = points.back().y,
                .first_faster = {}};
  if (points.back().y <= 1) return out;
  std::size_t first = points.size() - 1;  // the first of the points at the long end that are all faster
  while (first > 0 && points[first - 1].y > 1) --first;
  out.first_faster = points[first].source;
  out.always_faster = first == 0;
  if (!out.always_faster) out.context = crossing(points[first - 1], points[first]);
  return out;
}

}  // namespace

std::vector<BreakEven> break_evens(const Wording& wording, const Facet& facet) {
  const record::Record& record = wording.record();
  const Quantity speedup = derived(record, &record::Derived::speedup_over_dense);
  std::vector<BreakEven> out;
  for (const Curve& curve : curves(wording, facet, kv_len_of)) {
    if (record.points[curve.points.front()].method == "dense") continue;
    Series series = series_of(wording, curve, kv_len_of, speedup);
    if (!series.points.empty()) out.push_back(of_curve(std::move(series)));
  }
  return out;
}

}  // namespace attnscope::reports
