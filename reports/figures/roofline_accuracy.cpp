// SPDX-License-Identifier: Apache-2.0
// The roofline again, its points coloured by how accurate they are instead of by method.
#include <array>

#include "reports/figures/plots.hpp"

namespace attnscope::reports {
namespace {

struct Band {
  const char* name;
  double below;  // of the relative L2 error
  Style style;
};

// Marker and colour both tell the bands apart.
constexpr std::array kBands{
    Band{"error < 0.01", 0.01, {.colour = 3, .marker = 0}}, Band{"error < 0.1", 0.1, {.colour = 6, .marker = 1}},
    Band{"error < 0.3", 0.3, {.colour = 5, .marker = 2}}, Band{"error ≥ 0.3", 1e300, {.colour = 2, .marker = 4}}};

Figure describe(const Wording& wording, const Facet& facet) {
  Figure figure = plot("roofline").describe(wording, facet);
  figure.title = "Roofline by accuracy";
  std::vector<Series> bands;
  for (const Band& band : kBands)
    bands.push_back({.name = band.name, .role = Role::cloud, .style = band.style, .points = {}});
  for (const Series& series : figure.series) {
    for (const DataPoint& point : series.points) {
      if (!point.source) continue;
      const auto error = wording.record().points[*point.source].accuracy.rel_l2;
      if (!error) continue;
      std::size_t band = 0;
      while (*error >= kBands[band].below) ++band;
      bands[band].points.push_back(point);
    }
    if (series.role == Role::guide) bands.push_back(series);
  }
  figure.series = std::move(bands);
  return figure;
}

}  // namespace

Plot roofline_accuracy() { return {.name = "roofline_accuracy", .across = Across::kv_len, .describe = describe}; }

}  // namespace attnscope::reports
