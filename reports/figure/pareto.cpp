// SPDX-License-Identifier: Apache-2.0
#include "reports/figure/pareto.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "reports/figure/text.hpp"

namespace attnscope::reports {
namespace {

bool better(double a, double b, bool higher_is_better) { return higher_is_better ? a > b : a < b; }

// Dims every point that is beaten and returns the staircase through the others.
Series front(Figure& figure, bool higher_is_better) {
  std::vector<DataPoint*> points;
  for (Series& series : figure.series)
    for (DataPoint& point : series.points) points.push_back(&point);
  std::ranges::stable_sort(points, [&](const DataPoint* a, const DataPoint* b) {
    return a->x != b->x ? a->x < b->x : better(a->y, b->y, higher_is_better);
  });

  Series out{.name = "Pareto front", .role = Role::guide, .style = {}, .points = {}};
  for (DataPoint* point : points) {
    if (!out.points.empty() && !better(point->y, out.points.back().y, higher_is_better)) {
      point->dimmed = true;
      continue;
    }
    if (!out.points.empty()) out.points.push_back({.x = point->x, .y = out.points.back().y});
    out.points.push_back({.x = point->x, .y = point->y});
  }
  return out;
}

std::string file_name(const Facet& facet, const NamedQuantity& cost, const NamedQuantity& accuracy) {
  const std::string what = accuracy.name == "error" ? "accuracy" : fmt::format("accuracy_{}", accuracy.name);
  return fmt::format("{}_{}-{}", what, cost.name, slug(facet.title));
}

}  // namespace

Figure pareto_figure(const Wording& wording, const Facet& facet, const NamedQuantity& cost,
                     const NamedQuantity& accuracy) {
  Figure figure{.name = file_name(facet, cost, accuracy),
                .title = fmt::format("{} against {}", accuracy.name == "error" ? "Output error" : accuracy.title,
                                     cost.name == "flops" ? "FLOPs needed" : cost.title),
                .subtitle = facet.title,
                .caption = fmt::format("{}; {}. Pale: another point is at least as good for no more.", accuracy.words,
                                       cost.words),
                .x = {std::string(cost.title), cost.scale},
                .y = {std::string(accuracy.title), accuracy.scale},
                .series = {}};
  for (const Curve& curve : cost.of_kernel ? curves(wording, facet, {}) : method_curves(wording, facet))
    figure.series.push_back(series_of(wording, curve, cost.value, accuracy.value));
  if (finish(figure)) figure.series.push_back(front(figure, accuracy.higher_is_better));
  return figure;
}

std::optional<std::size_t> best_within(const Figure& figure, double budget, bool higher_is_better) {
  const DataPoint* best = nullptr;
  for (const Series& series : figure.series)
    for (const DataPoint& point : series.points) {
      if (!point.source || point.x > budget) continue;
      if (!best || better(point.y, best->y, higher_is_better) || (point.y == best->y && point.x < best->x))
        best = &point;
    }
  return best ? best->source : std::nullopt;
}

}  // namespace attnscope::reports
