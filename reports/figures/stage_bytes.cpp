// SPDX-License-Identifier: Apache-2.0
// Where the traffic of a call goes.
#include "reports/figure/plot.hpp"
#include "reports/figure/stage_bars.hpp"
#include "reports/figure/text.hpp"

namespace attnscope::reports {
namespace {

Figure describe(const Wording& wording, const Facet& facet) {
  const std::vector<Row> rows = rows_of(wording, facet);
  return {.name = {},
          .title = "Bytes by stage",
          .subtitle = {},
          .caption =
              "Bytes that each stage reads and writes when every input is read once and every output written once; "
              "pale: building what is paid once for many calls.",
          .x = {"modelled bytes per call", Scale::linear},
          .y = row_axis(rows),
          .series = stage_bars(
              wording, rows, [](const record::Stage& stage) { return std::optional(stage.bytes); }, nullptr, si)};
}

}  // namespace

Plot stage_bytes() {
  return {.name = "stage_bytes", .across = Across::nothing, .longest_only = true, .describe = describe};
}

}  // namespace attnscope::reports
