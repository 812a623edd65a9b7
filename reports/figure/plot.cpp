// SPDX-License-Identifier: Apache-2.0
#include "reports/figure/plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "reports/figure/text.hpp"

namespace attnscope::reports {
namespace {

bool has(const Figure& figure, Role role) {
  return std::ranges::find(figure.series, role, &Series::role) != figure.series.end();
}

// Of the facets that differ in context length alone, the one with the longest.
std::vector<Facet> longest(const Wording& wording, std::vector<Facet> all) {
  const auto first = [&](const Facet& facet) -> const record::Point& {
    return wording.record().points[facet.points.front()];
  };
  std::map<std::string, std::int64_t> lengths;
  for (const Facet& facet : all) {
    std::int64_t& length = lengths[wording.facet(first(facet), Across::kv_len)];
    length = std::max(length, first(facet).shape.kv_len);
  }
  std::erase_if(all, [&](const Facet& facet) {
    return first(facet).shape.kv_len < lengths.at(wording.facet(first(facet), Across::kv_len));
  });
  return all;
}

}  // namespace

Figure draw(const Plot& plot, const Wording& wording, const Facet& facet) {
  Figure figure = plot.describe(wording, facet);
  figure.name = fmt::format("{}-{}", plot.name, slug(facet.title));
  figure.subtitle = facet.title;
  const bool something = finish(figure);
  const bool curves_alone = !has(figure, Role::cloud) && !has(figure, Role::patches);
  if (!something || (curves_alone && distinct_x(figure) < 2)) figure.series.clear();
  return figure;
}

std::vector<Figure> draw(const Plot& plot, const record::Record& record) {
  const Wording wording(record);
  std::vector<Facet> all = facets(wording, plot.across);
  if (plot.longest_only) all = longest(wording, std::move(all));
  std::vector<Figure> figures;
  for (const Facet& facet : all)
    if (Figure figure = draw(plot, wording, facet); !figure.series.empty()) figures.push_back(std::move(figure));
  return figures;
}

}  // namespace attnscope::reports
