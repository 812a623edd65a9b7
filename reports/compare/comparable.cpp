// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <map>
#include <set>

#include "reports/compare/compare.hpp"

namespace attnscope::reports {
namespace {

using nlohmann::json;
using record::Point;
using record::Record;

bool ran_on_device(const Record& record) {
  for (const Point& point : record.points)
    if (on_device(point.backend)) return true;
  return false;
}

// What makes times of two records comparable. The GPU counts only where something ran on one.
json fingerprint(const Record& record) {
  json out{{"processor", record.context.value(json::json_pointer("/machine/cpu_model"), json("unknown"))},
           {"number of CPUs", record.context.value("num_cpus", json("unknown"))}};
  if (ran_on_device(record)) out["GPU"] = record.context.value(json::json_pointer("/gpus/0/name"), json("unknown"));
  return out;
}

std::string without_contract(const Point& point) {
  Point other = point;
  other.contract.clear();
  return record::key(other);
}

}  // namespace

std::vector<std::string> incomparable(const Record& base, const Record& current) {
  std::vector<std::string> reasons;
  const json before = fingerprint(base);
  const json after = fingerprint(current);
  for (const auto& [name, value] : before.items())
    if (after.contains(name) && after[name] != value)
      reasons.push_back(
          fmt::format("{}: {} in the base, {} in the new record", name, value.dump(), after[name].dump()));

  std::map<std::string, const Point*> known;
  std::map<std::string, std::string> contracts;
  for (const Point& point : base.points) {
    known.emplace(record::key(point), &point);
    contracts.emplace(without_contract(point), point.contract);
  }
  bool common = false;
  std::set<std::string> other_contracts;
  for (const Point& point : current.points) {
    const auto match = known.find(record::key(point));
    if (match == known.end()) {
      if (const auto same_task = contracts.find(without_contract(point)); same_task != contracts.end())
        other_contracts.insert(
            fmt::format("contract: {} in the base, {} in the new record", same_task->second, point.contract));
      continue;
    }
    common = true;
    const std::string& hash = match->second->workload.hash;
    if (!hash.empty() && !point.workload.hash.empty() && hash != point.workload.hash)
      reasons.push_back(fmt::format("{}: other input bytes: workload hash {} in the base, {} in the new record",
                                    match->first, hash, point.workload.hash));
  }
  if (!common) {
    reasons.insert(reasons.end(), other_contracts.begin(), other_contracts.end());
    if (other_contracts.empty()) reasons.push_back("no point in common");
  }
  return reasons;
}

}  // namespace attnscope::reports
