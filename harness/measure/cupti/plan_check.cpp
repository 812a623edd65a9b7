// SPDX-License-Identifier: Apache-2.0
#include "harness/measure/cupti/plan_check.hpp"

namespace attnscope {

PlanCheck check_plan(const std::string& chip, const Plan& plan) {
  MetricHost host(chip);
  PlanCheck check;
  const std::vector<std::string> metrics = plan.metrics();
  for (const std::string& metric : metrics)
    if (!host.knows(metric)) check.unknown.push_back(metric);
  if (!check.unknown.empty()) return check;
  std::vector<std::uint8_t> configuration = host.configure(metrics);
  check.passes = MetricHost::passes(configuration);
  return check;
}

}  // namespace attnscope
