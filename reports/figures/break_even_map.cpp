// SPDX-License-Identifier: Apache-2.0
// Which method is fastest at which context length and density, and where sparse beats dense.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "reports/figure/plot.hpp"
#include "reports/figure/quantities.hpp"
#include "reports/figure/text.hpp"

namespace attnscope::reports {
namespace {

struct Winner {
  std::size_t point = 0;
  double speedup = 0;
};

// Densities are put together in powers of two: level 0 is everything, level 3 an eighth.
int level_of(double density) { return static_cast<int>(std::lround(-std::log2(density))); }

using Cells = std::map<std::pair<std::int64_t, int>, Winner>;  // by context length and level

Cells winners(const Wording& wording, const Facet& facet) {
  const record::Record& record = wording.record();
  const Quantity speedup_of = derived(record, &record::Derived::speedup_over_dense);
  Cells cells;
  for (const std::size_t i : facet.points) {
    const record::Point& point = record.points[i];
    const auto speedup = speedup_of(point);
    if (!speedup || !point.density || *point.density <= 0) continue;
    Winner& cell = cells[{point.shape.kv_len, level_of(*point.density)}];
    if (*speedup > cell.speedup) cell = {i, *speedup};
  }
  return cells;
}

// The border of the region where sparse is faster: per context length, above the densest cell that still is.
Series contour(const Cells& cells, const std::map<std::int64_t, double>& columns, const std::map<int, double>& rows) {
  Series border{.name = "faster than dense below", .role = Role::guide, .style = {}, .points = {}};
  for (const auto& [length, x] : columns)
    for (const auto& [level, y] : rows) {  // from dense to sparse
      const auto cell = cells.find({length, level});
      if (cell == cells.end() || cell->second.speedup <= 1) continue;
      border.points.push_back({.x = x - 0.5, .y = y + 0.5});
      border.points.push_back({.x = x + 0.5, .y = y + 0.5});
      break;
    }
  return border;
}

Figure describe(const Wording& wording, const Facet& facet) {
  Figure figure{.name = {},
                .title = "Break-even map",
                .subtitle = {},
                .caption =
                    "The fastest method at each context length and density (in powers of two), with its speed-up over "
                    "dense; pale where dense is faster.",
                .x = {"context (keys)", Scale::linear},
                .y = {"density", Scale::linear},
                .series = {}};
  const Cells cells = winners(wording, facet);
  std::map<std::int64_t, double> columns;
  std::map<int, double> rows;
  for (const auto& [place, winner] : cells) {
    columns[place.first] = 0;
    rows[place.second] = 0;
  }
  for (auto& [length, x] : columns) {
    x = static_cast<double>(figure.x.categories.size());
    figure.x.categories.push_back(binary(static_cast<double>(length)));
  }
  for (auto row = rows.rbegin(); row != rows.rend(); ++row) {  // dense on top
    row->second = static_cast<double>(figure.y.categories.size());
    figure.y.categories.push_back(percent(std::exp2(-row->first)));
  }

  std::map<std::string, Series> methods;
  for (const auto& [place, winner] : cells) {
    const record::Point& point = wording.record().points[winner.point];
    Series& series = methods[point.method];
    series.name = point.method;
    series.role = Role::patches;
    series.style = {.colour = wording.colour(point.method)};
    const double x = columns.at(place.first);
    const double y = rows.at(place.second);
    series.patches.push_back(
        {.x_low = x - 0.5,
         .x_high = x + 0.5,
         .y_low = y - 0.5,
         .y_high = y + 0.5,
         .text = winner.speedup < 10 ? fmt::format("{:.2f}×", winner.speedup) : number(winner.speedup) + "×",
         .label = fmt::format("{}: {}× dense", wording.label(point), number(winner.speedup)),
         .source = winner.point,
         .strength = winner.speedup > 1 ? 1.0 : 0.3});
  }
  for (auto& [method, series] : methods) figure.series.push_back(std::move(series));
  figure.series.push_back(contour(cells, columns, rows));
  return figure;
}

}  // namespace

Plot break_even_map() { return {.name = "break_even_map", .across = Across::kv_len, .describe = describe}; }

}  // namespace attnscope::reports
