// SPDX-License-Identifier: Apache-2.0
// What the GPU did during one call: every kernel (tier T1) and hardware counters (tier T2), per stage and in all.
// CUPTI is loaded on the first call of this header and slows every CUDA call from then on: finish timing first.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/shape.hpp"
#include "harness/method/stage.hpp"
#include "harness/record/result.hpp"

namespace attnscope {

struct ProfileRequest {
  record::Tier tier = record::Tier::t2;  // the highest tier to try
  Dtype dtype = Dtype::bf16;             // of the inputs: which tensor operations to count
  std::string method;                    // NVTX ranges are named "method/stage"
};

struct Profile {
  record::Tier reached = record::Tier::t0;
  std::string reason;                      // what of the tier asked for is missing, why, and the remedy; else empty
  std::map<std::string, double> counters;  // of one whole call; names: metrics.hpp
  std::vector<record::Stage> stages;       // in order of first occurrence: name, kind, kernels, counters
};

/// Runs the call `run_once` on the current device, once for every tier, plan and granularity: kernels; core counters
/// of the whole call, then by stage; floating-point counters likewise. Each counter set is one pass over one execution,
/// so its members may be divided by one another. `run_once` must be idempotent and free of build stages; it may return
/// with work still enqueued. `before_each` runs before every execution, outside the measured range (cache flush, input
/// restore). A tier that the machine denies lowers `reached` and sets `reason`; errors of the call itself propagate.
Profile profile_call(const ProfileRequest& request, const std::function<void(StageObserver&)>& run_once,
                     const std::function<void()>& before_each);

/// Floating-point operations of all types that the counters saw, or nothing when they were not collected.
std::optional<double> executed_flops(const std::map<std::string, double>& counters);

}  // namespace attnscope
