// SPDX-License-Identifier: Apache-2.0
#include "reports/figure/stage_bars.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace attnscope::reports {
namespace {

constexpr double kPale = 0.4;

class Bars {
 public:
  explicit Bars(std::string (*format)(double)) : format_(format) {}

  /// Appends a part to the bar of `row` and returns where it ends.
  double add(const Row& row, const std::string& name, const Style& style, double begin, double length,
             double strength) {
    auto series = std::ranges::find(series_, name, &Series::name);
    if (series == series_.end())
      series = series_.insert(series_.end(),
                              {.name = name, .role = Role::patches, .style = style, .points = {}, .patches = {}});
    series->patches.push_back({.x_low = begin,
                               .x_high = begin + length,
                               .y_low = row.y - kBarHalfHeight,
                               .y_high = row.y + kBarHalfHeight,
                               .text = format_(length),
                               .label = fmt::format("{}: {} {}", row.text, name, format_(length)),
                               .source = row.point,
                               .strength = strength});
    return begin + length;
  }

  std::vector<Series> take() { return std::move(series_); }

 private:
  std::string (*format_)(double);
  std::vector<Series> series_;
};

}  // namespace

std::vector<Series> stage_bars(const Wording& wording, const std::vector<Row>& rows, StageLength length,
                               std::optional<double> (*total)(const record::Point& point),
                               std::string (*format)(double length)) {
  Bars bars(format);
  std::vector<double> ends(rows.size(), 0.0);
  const auto add_stages = [&](bool build) {
    for (std::size_t i = 0; i < rows.size(); ++i)
      for (const record::Stage& stage : wording.record().points[rows[i].point].stages) {
        const auto part = length(stage);
        if ((stage.kind == "build") != build || !part || *part <= 0) continue;
        ends[i] = bars.add(rows[i], stage.kind, stage_style(stage.kind), ends[i], *part, build ? kPale : 1);
      }
  };
  add_stages(false);
  for (std::size_t i = 0; total && i < rows.size(); ++i)
    if (const auto all = total(wording.record().points[rows[i].point]); all && *all > ends[i])
      ends[i] = bars.add(rows[i], "outside stages", stage_style(""), ends[i], *all - ends[i], kPale);
  add_stages(true);
  return bars.take();
}

}  // namespace attnscope::reports
