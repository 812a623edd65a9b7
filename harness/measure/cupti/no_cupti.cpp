// SPDX-License-Identifier: Apache-2.0
// The profiler of a build without CUDA: no tier above T0, no database of metrics, and the reason.
#include "harness/base/error.hpp"
#include "harness/device/device_info.hpp"
#include "harness/measure/cupti/calibration.hpp"
#include "harness/measure/cupti/plan_check.hpp"
#include "harness/measure/cupti/probe.hpp"

namespace attnscope {

Profile profile_call(const ProfileRequest&, const std::function<void(StageObserver&)>&, const std::function<void()>&) {
  Profile profile;
  profile.reason = gpu_list().reason;
  return profile;
}

Profile probe_tiers() { return profile_call({}, {}, {}); }

std::vector<std::string> supported_chips() { throw MachineError(gpu_list().reason); }

PlanCheck check_plan(const std::string&, const Plan&) { throw MachineError(gpu_list().reason); }

Calibration calibrate_counters() {
  Calibration calibration;
  calibration.reason = gpu_list().reason;
  return calibration;
}

}  // namespace attnscope
