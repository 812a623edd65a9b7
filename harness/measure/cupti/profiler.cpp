// SPDX-License-Identifier: Apache-2.0
#include "harness/measure/cupti/profiler.hpp"

#include <fmt/format.h>

#include "harness/base/error.hpp"
#include "harness/device/device_info.hpp"
#include "harness/device/stream.hpp"
#include "harness/measure/cupti/activity.hpp"
#include "harness/measure/cupti/range_profiler.hpp"

namespace attnscope {
namespace {

/// Every occurrence of a stage is a range of its own: the GPU is waited for before and after it, and it is evaluated
/// apart. Calls of more ranges than this, chunked prefills of 128k tokens and up, are counted as a whole only.
constexpr std::size_t kMostRanges = 1024;

/// Adds the counters of `plan` to the profile: of the whole call and, where that is affordable, of every stage.
void count(const Plan& plan, const std::string& method, std::size_t occurrences, Profile& profile,
           const std::function<void(StageObserver&)>& run_once, const std::function<void()>& prepare) {
  prepare();
  StageLog log(method);
  const Counters whole = count_call(plan, [&] { run_once(log); });
  std::vector<Counters> stages;
  if (occurrences == 1) {
    stages = {whole};  // the call is its only stage: the same kernels, measured already
  } else if (occurrences > 1 && occurrences <= kMostRanges) {
    prepare();
    stages = count_stages(plan, method, occurrences, run_once);
  }
  profile.counters.insert(whole.begin(), whole.end());
  for (std::size_t i = 0; i < stages.size(); ++i)
    profile.stages.at(i).counters.insert(stages[i].begin(), stages[i].end());
}

void add_reason(Profile& profile, const std::string& reason) {
  if (!profile.reason.empty()) profile.reason += "; ";
  profile.reason += reason;
}

}  // namespace

Profile profile_call(const ProfileRequest& request, const std::function<void(StageObserver&)>& run_once,
                     const std::function<void()>& before_each) {
  Profile profile;
  if (request.tier == record::Tier::t0) return profile;
  if (gpu_list().gpus.empty()) {
    profile.reason = gpu_list().reason;
    return profile;
  }
  const auto prepare = [&] {
    before_each();
    synchronize_gpu();
  };
  try {
    prepare();
    KernelTrace trace = trace_kernels(request.method, run_once);
    profile.stages = std::move(trace.stages);
    profile.reason = trace.left_out;
    profile.reached = record::Tier::t1;
    if (request.tier == record::Tier::t1) return profile;

    for (const Plan& plan : counter_plans(current_chip(), request.dtype)) {
      count(plan, request.method, trace.occurrences.size(), profile, run_once, prepare);
      profile.reached = record::Tier::t2;  // the first plan is `core`; the others add to it
    }
    if (trace.occurrences.size() > kMostRanges)
      add_reason(profile, fmt::format("counters by stage are left out: stages occur {} times, at most {} are counted",
                                      trace.occurrences.size(), kMostRanges));
    if (request.tier == record::Tier::t3) add_reason(profile, "T3: sampling inside kernels is not implemented");
  } catch (const MachineError& error) {
    add_reason(profile, error.what());
  }
  return profile;
}

}  // namespace attnscope
