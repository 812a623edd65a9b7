// SPDX-License-Identifier: Apache-2.0
#include "reports/figure/curves.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "reports/figure/text.hpp"

namespace attnscope::reports {
namespace {

using record::Point;
using record::Record;

// Names and values of those entries of `own` that differ from some entry of the same name in `others`.
template <typename Objects>
std::string differing(const nlohmann::json& own, const Objects& others) {
  std::string out;
  for (const auto& [name, value] : own.items()) {
    const auto differs = [&name = name, &value = value](const nlohmann::json* other) {
      return other->contains(name) && (*other)[name] != value;
    };
    if (std::ranges::none_of(others, differs)) continue;
    const std::string text = value.is_string()           ? value.template get<std::string>()
                             : value.is_number_integer() ? value.dump()
                             : value.is_number()         ? si(value.template get<double>())
                                                         : value.dump();
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", name, text);
  }
  return out;
}

std::string workload_text(const Record& record, const Point& point) {
  std::vector<const nlohmann::json*> others;
  std::set<std::uint64_t> seeds;
  for (const Point& other : record.points) {
    if (other.workload.name != point.workload.name) continue;
    others.push_back(&other.workload.params);
    seeds.insert(other.workload.seed);
  }
  std::string text = point.workload.name;
  if (const std::string params = differing(point.workload.params, others); !params.empty()) text += " (" + params + ")";
  if (seeds.size() > 1) text += fmt::format(" seed {}", point.workload.seed);
  return text;
}

std::string task_text(const Record& record, const Point& point, Across across) {
  const Shape& shape = point.shape;
  std::string title = fmt::format("{}, {}, ", to_string(point.phase), workload_text(record, point));
  if (shape.batch > 1) title += fmt::format("batch {}, ", shape.batch);
  title += fmt::format("{}/{} heads, d{}, {}", shape.q_heads, shape.kv_heads, shape.head_dim, to_string(shape.dtype));
  if (!shape.causal) title += ", not causal";
  if (across == Across::nothing) title += fmt::format(", N {}", binary(static_cast<double>(shape.kv_len)));
  const bool square = point.phase == Phase::prefill && shape.q_len == shape.kv_len;
  if (!square && shape.q_len > 1) title += fmt::format(", {} queries", shape.q_len);
  return title + ", " + point.contract;
}

std::string facet_title(const Record& record, const Point& point, Across across) {
  return task_text(record, point, across) + (on_device(point.backend) ? ", GPU" : ", CPU");
}

std::size_t colour_index(const Record& record, const std::string& method) {
  if (method == "dense") return 0;
  std::set<std::string> names;
  for (const Point& point : record.points)
    if (point.method != "dense") names.insert(point.method);
  // Black is taken; beyond the palette colours repeat without ever becoming black.
  return 1 + static_cast<std::size_t>(std::distance(names.begin(), names.find(method))) % (kPalette.size() - 1);
}

Curve curve_like(const Record& record, const Point& point, std::string name) {
  const std::size_t colour = colour_index(record, point.method);
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

std::vector<Facet> facets(const Record& record, Across across) {
  std::vector<Facet> out;
  for (std::size_t i = 0; i < record.points.size(); ++i) {
    if (record.points[i].status != record::Status::ok) continue;
    const std::string title = facet_title(record, record.points[i], across);
    auto facet = std::ranges::find(out, title, &Facet::title);
    if (facet == out.end()) facet = out.insert(out.end(), {title, {}});
    facet->points.push_back(i);
  }
  return out;
}

std::vector<Curve> curves(const Record& record, const Facet& facet, const Quantity& x) {
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
    std::ranges::stable_sort(members, {}, [&](std::size_t i) { return record.points[i].params; });
    std::map<std::string, std::size_t> index_of;  // variant → index in out
    for (const std::size_t i : members) {
      const std::string which = split ? variant(record, record.points[i]) : "";
      const auto [entry, added] = index_of.try_emplace(which, out.size());
      if (added) {
        out.push_back(curve_like(record, record.points[i], which.empty() ? name : name + " " + which));
        out.back().style.marker += index_of.size() - 1 + rank * (kMarkers - 1);
      }
      out[entry->second].points.push_back(i);
    }
  }
  return out;
}

std::vector<Curve> method_curves(const Record& record, const Facet& facet) {
  std::map<std::string, Curve> out;
  std::set<std::pair<std::string, nlohmann::json>> seen;
  for (const std::size_t i : facet.points) {
    const Point& point = record.points[i];
    const nlohmann::json identity{{"params", point.params}, {"kv_len", point.shape.kv_len}};
    if (!seen.emplace(point.method, identity).second) continue;
    out.try_emplace(point.method, curve_like(record, point, point.method)).first->second.points.push_back(i);
  }
  std::vector<Curve> list;
  for (auto& [method, curve] : out) {
    curve.style.dashed = false;
    list.push_back(std::move(curve));
  }
  return list;
}

Series series_of(const Record& record, const Curve& curve, const Quantity& x, const Quantity& y) {
  Series series{.name = curve.name, .role = Role::curve, .style = curve.style, .points = {}};
  for (const std::size_t i : curve.points) {
    const Point& point = record.points[i];
    const auto at_x = x(point);
    const auto at_y = y(point);
    if (at_x && at_y)
      series.points.push_back(
          {.x = *at_x, .y = *at_y, .y_low = {}, .y_high = {}, .label = variant(record, point), .source = i});
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

std::string label(const Record& record, const Point& point) {
  const std::string parameters = variant(record, point);
  return fmt::format("{}{}{} ({}), {}", point.method, parameters.empty() ? "" : " ", parameters,
                     to_string(point.backend), task_text(record, point, Across::nothing));
}

std::string variant(const Record& record, const Point& point) {
  std::vector<const nlohmann::json*> others;
  for (const Point& other : record.points)
    if (other.method == point.method) others.push_back(&other.params);
  return differing(point.params, others);
}

}  // namespace attnscope::reports
