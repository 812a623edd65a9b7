// SPDX-License-Identifier: Apache-2.0
#include "harness/measure/measure_point.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>

#include "harness/base/median.hpp"
#include "harness/base/parallel.hpp"
#include "harness/device/device_info.hpp"
#include "harness/device/gpu_state.hpp"
#include "harness/measure/call_timer.hpp"
#include "harness/measure/dump_outputs.hpp"
#include "harness/measure/method_call.hpp"
#include "harness/measure/sampler.hpp"
#include "harness/method/registry.hpp"
#include "harness/verify/accuracy.hpp"

namespace attnscope {
namespace {

constexpr std::size_t kStagePasses = 11;

void finish(record::Point& point, record::Status status, const std::string& reason) {
  point.status = status;
  point.reason = reason;
}

/// Counts and models: what the call had to do.
void put_costs(const Shape& shape, const Execution& execution, record::Point& point) {
  const auto pair_flops = 4.0 * static_cast<double>(shape.head_dim);  // two multiply-adds per channel
  point.attended_pairs = execution.attended_pairs();
  point.density = static_cast<double>(*point.attended_pairs) / static_cast<double>(shape.dense_pairs());
  point.flops.dense = pair_flops * static_cast<double>(shape.dense_pairs());
  point.flops.useful = pair_flops * static_cast<double>(*point.attended_pairs);
  for (const StageCost& cost : execution.costs()) {
    point.stages.push_back({.name = cost.name,
                            .kind = std::string(to_string(cost.kind)),
                            .median_ns = {},
                            .flops = cost.flops,
                            .bytes = cost.bytes,
                            .kernels = {},
                            .counters = {}});
    if (cost.kind == StageKind::select) point.flops.select += cost.flops;
    if (cost.kind != StageKind::build) point.bytes.model += cost.bytes;
  }
}

/// Median time of each stage, over at most kStagePasses calls and `seconds`; at least one.
void put_stage_times(CallTimer& timer, bool build, double seconds, std::vector<record::Stage>& stages) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  std::vector<StageTime> first;
  std::vector<std::vector<double>> passes;
  do {
    const std::vector<StageTime> pass = timer.time_stages(build);
    if (first.empty()) first = pass, passes.resize(pass.size());
    for (std::size_t i = 0; i < passes.size(); ++i) passes[i].push_back(pass[i].ns);
  } while (!first.empty() && passes.front().size() < kStagePasses && std::chrono::steady_clock::now() < deadline);

  for (std::size_t i = 0; i < first.size(); ++i) {
    auto stage = std::ranges::find(stages, first[i].name, &record::Stage::name);
    if (stage == stages.end()) {
      stage = stages.insert(stages.end(), record::Stage{});
      stage->name = first[i].name;
      stage->kind = to_string(first[i].kind);
    }
    stage->median_ns = median(passes[i]);
  }
}

/// Clocks, power, temperature and throttling, where the point runs on a GPU that tells.
nlohmann::json clocks_now(Backend backend) {
  if (!on_device(backend)) return nullptr;
  const auto state = read_gpu_state(gpu_list().gpus.at(static_cast<std::size_t>(current_gpu())));
  return state ? to_json(*state) : nlohmann::json(nullptr);
}

std::int64_t peak_resident_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return std::int64_t{usage.ru_maxrss} * 1024;
}

/// Runs again and compares with the reference of the first run: timing must not have changed the answer.
std::optional<std::string> check_again(MethodCall& call, const Comparison& comparison) {
  call.run_poisoned();
  const Shape& shape = call.inputs().shape;
  if (auto fault = unwritten_output(shape, call.host_outputs())) return fault;
  record::Verified again;
  return compare_rows(shape, call.host_outputs(), comparison.attended, again);
}

}  // namespace

record::Point asked_point(const PointSpec& spec) {
  record::Point point;
  point.method = spec.method;
  point.backend = spec.backend;
  point.phase = spec.phase;
  point.workload = {spec.workload, spec.workload_params, spec.seed, ""};
  point.shape = spec.shape;
  point.params = spec.params;
  point.contract = to_string(spec.contract);
  point.reconstructed = find_method(spec.method).info().reconstructed;
  return point;
}

record::Point measure_point(const PointSpec& spec, const Prepared& prepared, const std::string& dump_path) {
  record::Point point = asked_point(spec);
  point.workload.hash = prepared.hash;
  const Method& method = find_method(spec.method);
  const Params params = Params::resolve(method.info().parameters, spec.params, spec.where);
  const AttentionInputs host = host_inputs(prepared, spec);
  if (const auto reason = method.unsupported(spec.shape, spec.phase, spec.backend, params)) {
    finish(point, record::Status::skipped, *reason);
    return point;
  }

  MethodCall call(method, spec.backend, spec.phase, params, host, spec.seed);
  point.workspace_bytes = call.workspace_bytes();
  if (const auto reason = contract_unavailable(spec.contract, spec.backend, call.execution())) {
    finish(point, record::Status::skipped, *reason);
    return point;
  }

  call.build();
  call.run_poisoned();
  const Comparison comparison = compare_with_reference(call.completed(), prepared.exact, hardware_threads());
  point.verified = comparison.verified;
  point.verified->guards_intact = call.guards_intact();
  if (!dump_path.empty()) dump_outputs(dump_path, call.completed());
  if (comparison.fault || !point.verified->guards_intact) {
    finish(point, record::Status::wrong, comparison.fault.value_or("memory beyond a buffer was written"));
    return point;
  }
  const RetrievalTask* task = prepared.problem.task ? &*prepared.problem.task : nullptr;
  point.accuracy = accuracy(host, call.host_outputs(), prepared.exact, comparison, task);
  put_costs(spec.shape, call.execution(), point);

  const auto timer = make_call_timer(spec.contract, spec.backend, call.timed());
  const nlohmann::json clocks_before = clocks_now(spec.backend);
  point.time = sample(spec.sampling, [&] { return timer->time_call(); });
  if (const nlohmann::json after = clocks_now(spec.backend); !after.is_null())
    point.clocks = {{"before", clocks_before}, {"after", after}};
  put_stage_times(*timer, true, spec.sampling.max_seconds / 4, point.stages);
  put_stage_times(*timer, false, spec.sampling.max_seconds / 4, point.stages);

  const auto fault = check_again(call, comparison);
  point.verified->guards_intact = call.guards_intact();
  point.verified->revalidated_after_timing = !fault && point.verified->guards_intact;
  if (!point.verified->revalidated_after_timing) {
    finish(point, record::Status::wrong, "after timing: " + fault.value_or("memory beyond a buffer was written"));
    point.time.reset();
  }
  point.peak_host_bytes = peak_resident_bytes();
  return point;
}

}  // namespace attnscope
