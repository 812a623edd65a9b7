// SPDX-License-Identifier: Apache-2.0
// From what exact attention would compute, over what the method needs, to what the hardware executed.
#include <algorithm>

#include "harness/record/derive.hpp"
#include "reports/figure/plot.hpp"
#include "reports/figure/rows.hpp"
#include "reports/figure/text.hpp"

namespace attnscope::reports {
namespace {

struct Step {
  const char* name;
  Style style;
  std::optional<double> (*flops)(const record::Point& point);
};

constexpr Step kSteps[] = {
    {"dense", {.colour = 0, .marker = 0}, [](const record::Point& point) { return std::optional(point.flops.dense); }},
    {"useful",
     {.colour = 3, .marker = 1},
     [](const record::Point& point) { return std::optional(point.flops.useful); }},
    {"useful + select",
     {.colour = 1, .marker = 3},
     [](const record::Point& point) { return std::optional(record::needed_flops(point)); }},
    {"executed", {.colour = 2, .marker = 2}, [](const record::Point& point) { return point.flops.executed; }}};

// A thin bar from the least to the most of a row's steps, to read them together.
Patch span_of(const record::Point& point, const Row& row) {
  constexpr double kHalfHeight = 0.05;
  Patch patch{.x_low = point.flops.dense,
              .x_high = point.flops.dense,
              .y_low = row.y - kHalfHeight,
              .y_high = row.y + kHalfHeight,
              .text = {},
              .label = row.text,
              .source = row.point,
              .strength = 0.4};
  for (const Step& step : kSteps)
    if (const auto flops = step.flops(point)) {
      patch.x_low = std::min(patch.x_low, *flops);
      patch.x_high = std::max(patch.x_high, *flops);
    }
  return patch;
}

Figure describe(const Wording& wording, const Facet& facet) {
  const std::vector<Row> rows = rows_of(wording, facet);
  Figure figure{.name = {},
                .title = "FLOPs: dense, needed, executed",
                .subtitle = {},
                .caption =
                    "Dense: what exact attention computes. Useful: on the attended pairs. Select: spent on choosing "
                    "them. Executed: what the hardware counted.",
                .x = {"FLOPs per call", Scale::log10},
                .y = row_axis(rows),
                .series = {}};
  Series spans{.name = "", .role = Role::patches, .style = {.colour = 7}, .points = {}};
  for (const Row& row : rows) spans.patches.push_back(span_of(wording.record().points[row.point], row));
  figure.series.push_back(std::move(spans));
  for (const Step& step : kSteps) {
    Series series{.name = step.name, .role = Role::cloud, .style = step.style, .points = {}};
    for (const Row& row : rows)
      if (const auto flops = step.flops(wording.record().points[row.point]))
        series.points.push_back({.x = *flops, .y = row.y, .label = si(*flops), .source = row.point});
    figure.series.push_back(std::move(series));
  }
  return figure;
}

}  // namespace

Plot flops_waterfall() {
  return {.name = "flops_waterfall", .across = Across::nothing, .longest_only = true, .describe = describe};
}

}  // namespace attnscope::reports
