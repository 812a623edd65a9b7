// SPDX-License-Identifier: Apache-2.0
// How the arithmetic grows with the context: what a method needs, and what its kernels executed.
#include "harness/record/derive.hpp"
#include "reports/figure/plot.hpp"

namespace attnscope::reports {
namespace {

Figure describe(const Wording& wording, const Facet& facet) {
  Figure figure{.name = {},
                .title = "FLOPs against context length",
                .subtitle = {},
                .caption =
                    "Solid: FLOPs on the attended pairs plus those spent on choosing them. Dashed: executed, as "
                    "the hardware counted them.",
                .x = {"context (keys)", Scale::log2},
                .y = {"FLOPs per call", Scale::log10},
                .series = {}};
  for (const Curve& curve : curves(wording, facet, kv_len_of)) {
    Series needed = series_of(wording, curve, kv_len_of, record::needed_flops);
    needed.style.dashed = false;
    Series executed =
        series_of(wording, curve, kv_len_of, [](const record::Point& point) { return point.flops.executed; });
    executed.name += ", executed";
    executed.style.dashed = true;
    figure.series.push_back(std::move(needed));
    figure.series.push_back(std::move(executed));
  }
  return figure;
}

}  // namespace

Plot scaling_flops() { return {.name = "scaling_flops", .across = Across::kv_len, .describe = describe}; }

}  // namespace attnscope::reports
