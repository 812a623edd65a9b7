// SPDX-License-Identifier: Apache-2.0
// How memory grows with the context: what a method needs besides its inputs and its output.
#include "reports/figure/plot.hpp"

namespace attnscope::reports {
namespace {

std::optional<double> workspace_mib(const record::Point& point) {
  return static_cast<double>(point.workspace_bytes) / (1 << 20);
}

// What keys and values occupy: 2 · batch · kv_heads · kv_len · head_dim elements.
std::optional<double> cache_mib(const record::Point& point) {
  return 2 * static_cast<double>(point.shape.kv_elements() * size_of(point.shape.dtype)) / (1 << 20);
}

Figure describe(const Wording& wording, const Facet& facet) {
  Figure figure{.name = {},
                .title = "Memory against context length",
                .subtitle = {},
                .caption =
                    "Memory allocated for a method besides inputs and output: indexes, scores, selections, partial "
                    "results. Grey: the keys and values themselves.",
                .x = {"context (keys)", Scale::log2},
                .y = {"workspace (MiB)", Scale::log10},
                .series = {}};
  for (const Curve& curve : curves(wording, facet, kv_len_of))
    figure.series.push_back(series_of(wording, curve, kv_len_of, workspace_mib));
  Curve all{.name = "keys and values", .style = {}, .points = facet.points};
  Series cache = series_of(wording, all, kv_len_of, cache_mib);
  cache.role = Role::guide;
  for (DataPoint& point : cache.points) point.source.reset();
  figure.series.push_back(std::move(cache));
  return figure;
}

}  // namespace

Plot scaling_memory() { return {.name = "scaling_memory", .across = Across::kv_len, .describe = describe}; }

}  // namespace attnscope::reports
