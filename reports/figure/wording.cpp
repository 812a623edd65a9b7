// SPDX-License-Identifier: Apache-2.0
#include "reports/figure/wording.hpp"

#include <fmt/format.h>

#include <iterator>

#include "reports/figure/figure.hpp"
#include "reports/figure/text.hpp"

namespace attnscope::reports {
namespace {

using nlohmann::json;
using record::Point;

std::string text_of(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return si(value.get<double>());
  return value.dump();
}

// For each name of an object's entries: the value seen first, and whether another was seen.
struct Seen {
  const json* first = nullptr;
  bool varies = false;
};
using Entries = std::map<std::string, Seen>;

void note(Entries& entries, const json& object) {
  for (const auto& [name, value] : object.items()) {
    const auto [seen, added] = entries.try_emplace(name, Seen{&value});
    if (!added && !seen->second.varies) seen->second.varies = *seen->second.first != value;
  }
}

std::vector<std::string> varying(const Entries& entries) {
  std::vector<std::string> names;
  for (const auto& [name, seen] : entries)
    if (seen.varies) names.push_back(name);
  return names;
}

std::string text_of_entries(const std::vector<std::string>& names, const json& object) {
  std::string out;
  for (const std::string& name : names)
    if (const auto entry = object.find(name); entry != object.end())
      out += fmt::format("{}{} {}", out.empty() ? "" : ", ", name, text_of(*entry));
  return out;
}

}  // namespace

Wording::Wording(const record::Record& record) : record_(&record) {
  std::map<std::string, Entries> parameters;
  std::map<std::string, Entries> workloads;
  std::map<std::string, std::uint64_t> seeds;
  for (const Point& point : record.points) {
    note(parameters[point.method], point.params);
    note(workloads[point.workload.name], point.workload.params);
    const auto [seed, added] = seeds.try_emplace(point.workload.name, point.workload.seed);
    if (!added && seed->second != point.workload.seed) seeds_.insert(point.workload.name);
  }
  for (const auto& [method, entries] : parameters) parameters_[method] = varying(entries);
  for (const auto& [workload, entries] : workloads) workloads_[workload] = varying(entries);
}

std::string Wording::variant(const Point& point) const {
  return text_of_entries(parameters_.at(point.method), point.params);
}

std::string Wording::task(const Point& point, Across across) const {
  const Shape& shape = point.shape;
  std::string text = fmt::format("{}, {}", to_string(point.phase), point.workload.name);
  if (const auto params = text_of_entries(workloads_.at(point.workload.name), point.workload.params); !params.empty())
    text += " (" + params + ")";
  if (seeds_.contains(point.workload.name)) text += fmt::format(" seed {}", point.workload.seed);
  text += ", ";
  if (shape.batch > 1) text += fmt::format("batch {}, ", shape.batch);
  text += fmt::format("{}/{} heads, d{}, {}", shape.q_heads, shape.kv_heads, shape.head_dim, to_string(shape.dtype));
  if (!shape.causal) text += ", not causal";
  if (across == Across::nothing) text += fmt::format(", N {}", binary(static_cast<double>(shape.kv_len)));
  const bool square = point.phase == Phase::prefill && shape.q_len == shape.kv_len;
  if (!square && shape.q_len > 1) text += fmt::format(", {} queries", shape.q_len);
  if (shape.history > 0) text += fmt::format(", history {}", shape.history);
  if (shape.cache_page > 0) text += fmt::format(", cache pages of {}", shape.cache_page);
  return text + ", " + point.contract;
}

std::string Wording::facet(const Point& point, Across across) const {
  return task(point, across) + (on_device(point.backend) ? ", GPU" : ", CPU");
}

std::string Wording::label(const Point& point) const {
  const std::string parameters = variant(point);
  return fmt::format("{}{}{} ({}), {}", point.method, parameters.empty() ? "" : " ", parameters,
                     to_string(point.backend), task(point, Across::nothing));
}

std::size_t Wording::colour(const std::string& method) const {
  if (method == "dense") return 0;
  auto rank = static_cast<std::size_t>(std::distance(parameters_.begin(), parameters_.find(method)));
  if (const auto dense = parameters_.find("dense"); dense != parameters_.end() && dense->first < method) --rank;
  // Black is taken; beyond the palette colours repeat without ever becoming black.
  return 1 + rank % (kPalette.size() - 1);
}

}  // namespace attnscope::reports
