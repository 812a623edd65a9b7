// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <map>

#include "reports/compare/compare.hpp"
#include "reports/formats/table.hpp"

namespace attnscope::reports {
namespace {

std::map<Verdict, int> counts(const std::vector<PointComparison>& points) {
  std::map<Verdict, int> out;
  for (const PointComparison& point : points) ++out[point.verdict];
  return out;
}

nlohmann::json finite(const std::optional<double>& value) {
  if (!value || !std::isfinite(*value)) return nullptr;
  return *value;
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  constexpr std::array<std::string_view, 7> kNames{"SAME",      "FASTER",  "SLOWER", "AMBIGUOUS",
                                                   "WRONG-NOW", "MISSING", "NEW"};
  return kNames.at(static_cast<std::size_t>(verdict));
}

std::string comparison_text(const std::vector<PointComparison>& points) {
  Table table{.columns = {{"verdict", false}, {"point", false}, {"why", false}}, .rows = {}};
  for (const PointComparison& point : points)
    table.rows.push_back({std::string(to_string(point.verdict)), point.label, point.reason});
  std::string text = aligned(table);
  std::string totals;
  for (const auto& [verdict, count] : counts(points))
    totals += fmt::format("{}{} {}", totals.empty() ? "" : ", ", count, to_string(verdict));
  return text + (totals.empty() ? "no points" : totals) + "\n";
}

nlohmann::json comparison_json(const std::vector<PointComparison>& points) {
  nlohmann::json rows = nlohmann::json::array();
  for (const PointComparison& point : points)
    rows.push_back({{"key", point.key},
                    {"label", point.label},
                    {"verdict", to_string(point.verdict)},
                    {"reason", point.reason},
                    {"ratio", finite(point.ratio)},
                    {"low", finite(point.low)},
                    {"high", finite(point.high)},
                    {"p", finite(point.p)},
                    {"effect", finite(point.effect)}});
  nlohmann::json totals = nlohmann::json::object();
  for (const auto& [verdict, count] : counts(points)) totals[std::string(to_string(verdict))] = count;
  return {{"points", rows}, {"counts", totals}};
}

}  // namespace attnscope::reports
