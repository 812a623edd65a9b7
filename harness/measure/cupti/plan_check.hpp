// SPDX-License-Identifier: Apache-2.0
// Whether a counter plan holds on a chip, by CUPTI's own database. Needs no GPU.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "harness/measure/cupti/metric_host.hpp"
#include "harness/measure/cupti/metrics.hpp"

namespace attnscope {

struct PlanCheck {
  std::vector<std::string> unknown;  // metrics that the chip does not have
  std::size_t passes = 0;            // 0 when some are unknown

  bool holds() const { return unknown.empty() && passes == 1; }
};

/// Throws MachineError without CUPTI.
PlanCheck check_plan(const std::string& chip, const Plan& plan);

}  // namespace attnscope
