// SPDX-License-Identifier: Apache-2.0
// Whether the traffic that the cost models promise is the traffic that the memory saw.
#include "harness/record/derive.hpp"
#include "reports/figure/plot.hpp"
#include "reports/figure/text.hpp"

namespace attnscope::reports {
namespace {

Figure describe(const Wording& wording, const Facet& facet) {
  const record::Record& record = wording.record();
  Figure figure{.name = {},
                .title = "Counted DRAM traffic against modelled bytes",
                .subtitle = {},
                .caption =
                    "Model: every input read once, every output written once. Counted: DRAM reads plus writes "
                    "of one call. Below the line caches serve part of it, above it something is read twice.",
                .x = {"modelled bytes per call", Scale::log10},
                .y = {"counted DRAM bytes per call", Scale::log10},
                .series = {}};
  const auto modelled = [](const record::Point& point) { return std::optional(point.bytes.model); };
  for (const Curve& curve : curves(wording, facet, {})) {
    Series series = series_of(wording, curve, modelled, record::dram_bytes);
    series.role = Role::cloud;
    for (DataPoint& point : series.points) point.label = binary(*kv_len_of(record.points[*point.source]));
    figure.series.push_back(std::move(series));
  }
  figure.series.push_back(guide_across(figure, "counted = modelled", [](double x) { return x; }));
  return figure;
}

}  // namespace

Plot bytes_model_vs_dram() { return {.name = "bytes_model_vs_dram", .across = Across::kv_len, .describe = describe}; }

}  // namespace attnscope::reports
