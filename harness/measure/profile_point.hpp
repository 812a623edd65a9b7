// SPDX-License-Identifier: Apache-2.0
// Kernels and hardware counters of a point that has been timed. Loads CUPTI: runs in a process that times nothing.
#pragma once

#include "harness/config/config.hpp"
#include "harness/measure/prepared.hpp"
#include "harness/record/result.hpp"

namespace attnscope {

/// Profiles `spec` on the current GPU up to `tier` and adds what was seen to `point`, its timed result.
void profile_point(const PointSpec& spec, const Prepared& prepared, record::Tier tier, record::Point& point);

}  // namespace attnscope
