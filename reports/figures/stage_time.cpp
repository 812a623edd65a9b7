// SPDX-License-Identifier: Apache-2.0
// Where the time of a call goes.
#include "reports/figure/plot.hpp"
#include "reports/figure/stage_bars.hpp"
#include "reports/figure/text.hpp"

namespace attnscope::reports {
namespace {

Figure describe(const Wording& wording, const Facet& facet) {
  const std::vector<Row> rows = rows_of(wording, facet);
  return {.name = {},
          .title = "Time by stage",
          .subtitle = {},
          .caption =
              "Median time of each stage; pale: what lies outside the stages, and building what is paid once for many "
              "calls.",
          .x = {"time (ms)", Scale::linear},
          .y = row_axis(rows),
          .series = stage_bars(
              wording, rows,
              [](const record::Stage& stage) {
                return stage.median_ns ? std::optional(*stage.median_ns / 1e6) : std::nullopt;
              },
              [](const record::Point& point) {
                return point.time ? std::optional(point.time->median_ns / 1e6) : std::nullopt;
              },
              [](double ms) { return duration(1e6 * ms); })};
}

}  // namespace

Plot stage_time() {
  return {.name = "stage_time", .across = Across::nothing, .longest_only = true, .describe = describe};
}

}  // namespace attnscope::reports
