// SPDX-License-Identifier: Apache-2.0
#include "harness/measure/profile_point.hpp"

#include <algorithm>
#include <optional>

#include "harness/device/l2_flush.hpp"
#include "harness/measure/cupti/profiler.hpp"
#include "harness/measure/method_call.hpp"
#include "harness/method/registry.hpp"

namespace attnscope {
namespace {

std::optional<double> counter(const std::map<std::string, double>& counters, const char* name) {
  const auto found = counters.find(name);
  return found == counters.end() ? std::nullopt : std::optional(found->second);
}

void merge(const Profile& profile, record::Point& point) {
  point.tier = profile.reached;
  point.tier_reason = profile.reason;
  point.counters = profile.counters;
  point.flops.executed = executed_flops(profile.counters);
  point.bytes.dram_read = counter(profile.counters, "dram_read_bytes");
  point.bytes.dram_write = counter(profile.counters, "dram_write_bytes");
  for (const record::Stage& seen : profile.stages) {
    const auto stage = std::ranges::find(point.stages, seen.name, &record::Stage::name);
    if (stage == point.stages.end()) {
      point.stages.push_back(seen);
      continue;
    }
    stage->kernels = seen.kernels;
    stage->counters = seen.counters;
  }
}

}  // namespace

void profile_point(const PointSpec& spec, const Prepared& prepared, record::Tier tier, record::Point& point) {
  const Method& method = find_method(spec.method);
  const Params params = Params::resolve(method.info().parameters, spec.params, spec.where);
  MethodCall call(method, spec.backend, spec.phase, params, host_inputs(prepared, spec), spec.seed);
  call.build();
  call.run_poisoned();

  std::optional<L2Flush> flush;
  if (spec.contract == Contract::cold) flush.emplace();
  const auto run_once = [&](StageObserver& observer) { call.execution().run(observer); };
  const auto before_each = [&] {
    if (flush) (*flush)(call.stream());
    synchronize_gpu();
  };
  merge(profile_call({tier, spec.shape.dtype, spec.method}, run_once, before_each), point);
}

}  // namespace attnscope
