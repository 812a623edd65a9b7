// SPDX-License-Identifier: Apache-2.0
// From which context length on a method pays.
#include "reports/figure/break_even.hpp"
#include "reports/figure/plot.hpp"
#include "reports/figure/quantities.hpp"
#include "reports/figure/text.hpp"

namespace attnscope::reports {
namespace {

Figure describe(const Wording& wording, const Facet& facet) {
  const record::Record& record = wording.record();
  const Quantity speedup = derived(record, &record::Derived::speedup_over_dense);
  Figure figure{.name = {},
                .title = "Speed-up over dense attention",
                .subtitle = {},
                .caption =
                    "Median time of the fastest dense backend on the same inputs and device, over median time of "
                    "the method. Below 1 the method is slower than dense; crosses mark where it breaks even.",
                .x = {"context (keys)", Scale::log2},
                .y = {"speed-up over dense", Scale::log10},
                .series = {}};
  for (const Curve& curve : curves(wording, facet, kv_len_of)) {
    if (record.points[curve.points.front()].method == "dense") continue;
    figure.series.push_back(series_of(wording, curve, kv_len_of, speedup));
  }
  Series crossings{.name = "break-even", .role = Role::cloud, .style = {.colour = 0, .marker = 5}, .points = {}};
  for (const BreakEven& one : break_evens(wording, facet))
    if (one.context)
      crossings.points.push_back(
          {.x = *one.context, .y = 1, .label = one.name + " from " + si(*one.context), .source = one.first_faster});
  figure.series.push_back(std::move(crossings));
  figure.series.push_back(guide_across(figure, "dense", [](double) { return 1.0; }));
  return figure;
}

}  // namespace

Plot speedup_context() { return {.name = "speedup_context", .across = Across::kv_len, .describe = describe}; }

}  // namespace attnscope::reports
