// SPDX-License-Identifier: Apache-2.0
// Where the arithmetic of a call goes.
#include "reports/figure/plot.hpp"
#include "reports/figure/stage_bars.hpp"
#include "reports/figure/text.hpp"

namespace attnscope::reports {
namespace {

Figure describe(const Wording& wording, const Facet& facet) {
  const std::vector<Row> rows = rows_of(wording, facet);
  return {.name = {},
          .title = "FLOPs by stage",
          .subtitle = {},
          .caption = "FLOPs that each stage needs; pale: building what is paid once for many calls.",
          .x = {"FLOPs per call", Scale::linear},
          .y = row_axis(rows),
          .series = stage_bars(
              wording, rows, [](const record::Stage& stage) { return std::optional(stage.flops); }, nullptr, si)};
}

}  // namespace

Plot stage_flops() {
  return {.name = "stage_flops", .across = Across::nothing, .longest_only = true, .describe = describe};
}

}  // namespace attnscope::reports
