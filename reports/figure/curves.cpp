// SPDX-License-Identifier: Apache-2.0
#include "reports/figure/curves.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace attnscope::reports {
namespace {

using record::Point;
using record::Record;

Curve curve_like(const Wording& wording, const Point& point, std::string name) {
  const std::size_t colour = wording.colour(point.method);
  return {.name = std::move(name),
          .style = {.colour = colour, .marker = colour, .dashed = point.backend == Backend::reference},
          .points = {}};
}

std::set<double> x_values(const Figure& figure) {
  std::set<double> values;
  for (const Series& series : figure.series)
    for (const DataPoint& point : series.points) values.insert(point.x);
  return values;
}

bool distinct(const Record& record, const std::vector<std::size_t>& points, const Quantity& x) {
  std::set<std::optional<double>> seen;
  return std::ranges::all_of(points, [&](std::size_t i) { return seen.insert(x(record.points[i])).second; });
}

}  // namespace

std::vector<Facet> facets(const Wording& wording, Across across) {
  const Record& record = wording.record();
  std::vector<Facet> out;
  for (std::size_t i = 0; i < record.points.size(); ++i) {
    if (record.points[i].status != record::Status::ok) continue;
    const std::string title = wording.facet(record.points[i], across);
    auto facet = std::ranges::find(out, title, &Facet::title);
    if (facet == out.end()) facet = out.insert(out.end(), {title, {}});
    facet->points.push_back(i);
  }
  return out;
}

std::vector<Curve> curves(const Wording& wording, const Facet& facet, const Quantity& x) {
  const Record& record = wording.record();
  std::map<std::pair<std::string, Backend>, std::vector<std::size_t>> groups;
  std::map<std::string, std::set<Backend>> backends;
  for (const std::size_t i : facet.points) {
    groups[{record.points[i].method, record.points[i].backend}].push_back(i);
    backends[record.points[i].method].insert(record.points[i].backend);
  }

  std::vector<Curve> out;
  for (auto& [key, members] : groups) {
    const auto& [method, backend] = key;
    const std::string name = backends[method].size() > 1 ? fmt::format("{} ({})", method, to_string(backend)) : method;
    const auto rank = static_cast<std::size_t>(std::distance(backends[method].begin(), backends[method].find(backend)));
    const bool split = x && !distinct(record, members, x);
    std::ranges::stable_sort(members, {},
                             [&](std::size_t i) -> const nlohmann::json& { return record.points[i].params; });
    std::map<std::string, std::size_t> index_of;  // variant → index in out
    for (const std::size_t i : members) {
      const std::string which = split ? wording.variant(record.points[i]) : "";
      const auto [entry, added] = index_of.try_emplace(which, out.size());
      if (added) {
        out.push_back(curve_like(wording, record.points[i], which.empty() ? name : name + " " + which));
        out.back().style.marker += index_of.size() - 1 + rank * (kMarkers - 1);
      }
      out[entry->second].points.push_back(i);
    }
  }
  return out;
}

std::vector<Curve> method_curves(const Wording& wording, const Facet& facet) {
  const Record& record = wording.record();
  std::map<std::string, Curve> out;
  std::set<std::pair<std::string, nlohmann::json>> seen;
  for (const std::size_t i : facet.points) {
    const Point& point = record.points[i];
    const nlohmann::json identity{{"params", point.params}, {"kv_len", point.shape.kv_len}};
    if (!seen.emplace(point.method, identity).second) continue;
    out.try_emplace(point.method, curve_like(wording, point, point.method)).first->second.points.push_back(i);
  }
  std::vector<Curve> list;
  for (auto& [method, curve] : out) {
    curve.style.dashed = false;
    list.push_back(std::move(curve));
  }
  return list;
}

Series series_of(const Wording& wording, const Curve& curve, const Quantity& x, const Quantity& y) {
  Series series{.name = curve.name, .role = Role::curve, .style = curve.style, .points = {}};
  for (const std::size_t i : curve.points) {
    const Point& point = wording.record().points[i];
    const auto at_x = x(point);
    const auto at_y = y(point);
    if (at_x && at_y)
      series.points.push_back(
          {.x = *at_x, .y = *at_y, .y_low = {}, .y_high = {}, .label = wording.variant(point), .source = i});
  }
  return series;
}

Series guide_across(const Figure& figure, const std::string& name, double (*y)(double x)) {
  Series guide{.name = name, .role = Role::guide, .style = {}, .points = {}};
  if (const std::set<double> values = x_values(figure); !values.empty())
    guide.points = {{.x = *values.begin(), .y = y(*values.begin())}, {.x = *values.rbegin(), .y = y(*values.rbegin())}};
  return guide;
}

std::size_t distinct_x(const Figure& figure) { return x_values(figure).size(); }

}  // namespace attnscope::reports
