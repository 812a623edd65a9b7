// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "harness/measure/ceilings/ceilings.hpp"

namespace attnscope {

/// Median and 10th and 90th percentile (nearest rank) of at least one value.
Ceiling summarize(std::vector<double> values, std::string how);

}  // namespace attnscope
