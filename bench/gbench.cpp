// SPDX-License-Identifier: Apache-2.0
// attnscope-gbench: every method × backend × phase of this build as a Google Benchmark, for its flags and compare.py.
// Each is verified before it is timed. Time is manual: the same warm clock (CPU) or events (GPU) as in a record.
//   ATTNSCOPE_DECODE_KV, ATTNSCOPE_PREFILL_LEN   context lengths [16384, 1024]
//   ATTNSCOPE_DTYPE                              bf16, f16 or f32 [bf16]
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <map>
#include <memory>

#include "harness/base/error.hpp"
#include "harness/base/parallel.hpp"
#include "harness/device/device_info.hpp"
#include "harness/measure/call_timer.hpp"
#include "harness/measure/method_call.hpp"
#include "harness/method/registry.hpp"
#include "harness/verify/compare.hpp"
#include "harness/verify/sample_rows.hpp"
#include "harness/workload/workload.hpp"

namespace {

using namespace attnscope;

constexpr std::int64_t kJudgedRows = 32;
constexpr std::uint64_t kSeed = 1;

std::int64_t length_from(const char* variable, std::int64_t otherwise) {
  const char* text = std::getenv(variable);
  if (!text) return otherwise;
  const std::string_view view = text;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(view.data(), view.data() + view.size(), value);
  if (error != std::errc{} || end != view.data() + view.size() || value < 1)
    throw InputError(fmt::format("{}: expected a length, found '{}'", variable, text));
  return value;
}

Shape shape_of(Phase phase) {
  const char* dtype = std::getenv("ATTNSCOPE_DTYPE");
  Shape shape{.batch = 1, .q_heads = 8, .kv_heads = 2, .head_dim = 128, .dtype = parse_dtype(dtype ? dtype : "bf16")};
  if (phase == Phase::decode) {
    shape.kv_len = length_from("ATTNSCOPE_DECODE_KV", 16384);
  } else {
    shape.q_len = shape.kv_len = length_from("ATTNSCOPE_PREFILL_LEN", 1024);
  }
  return shape;
}

struct Inputs {
  Problem problem;
  AttentionRows exact;
};

/// The inputs of a phase, the same for every benchmark; made when first asked for.
const Inputs& inputs_of(Phase phase) {
  static std::map<Phase, Inputs> made;
  const auto found = made.find(phase);
  if (found != made.end()) return found->second;
  const Workload& workload = find_workload("llm");
  const Params params = Params::resolve(workload.info().parameters, nlohmann::json::object(), "llm");
  Inputs inputs{workload.make(shape_of(phase), phase, params, kSeed, hardware_threads()), {}};
  inputs.exact = exact_attention(inputs.problem.inputs(), sample_rows(inputs.problem.shape, kJudgedRows, kSeed),
                                 hardware_threads());
  return made.emplace(phase, std::move(inputs)).first->second;
}

void measure(benchmark::State& state, const Method& method, Backend backend, Phase phase) {
  const Inputs& inputs = inputs_of(phase);
  const Params params = Params::resolve(method.info().parameters, nlohmann::json::object(), method.info().name);
  if (const auto reason = method.unsupported(inputs.problem.shape, phase, backend, params))
    return state.SkipWithError(reason->c_str());
  MethodCall call(method, backend, phase, params, inputs.problem.inputs());
  call.build();
  call.run_poisoned();
  const Comparison comparison = compare_with_reference(call.completed(), inputs.exact, hardware_threads());
  if (comparison.fault) return state.SkipWithError(("wrong: " + *comparison.fault).c_str());

  const auto timer = make_call_timer(Contract::warm, backend, call.timed());
  for ([[maybe_unused]] auto iteration : state) state.SetIterationTime(timer->time_call() * 1e-9);
  const auto pairs = static_cast<double>(call.execution().attended_pairs());
  state.counters["density"] = pairs / static_cast<double>(inputs.problem.shape.dense_pairs());
  state.counters["useful_flops"] = benchmark::Counter(4.0 * static_cast<double>(inputs.problem.shape.head_dim) * pairs,
                                                      benchmark::Counter::kIsIterationInvariantRate);
}

void register_benchmarks() {
  for (const Method* method : methods())
    for (const Backend backend : method->info().backends)
      for (const Phase phase : method->info().phases) {
        if (backend == Backend::reference || (on_device(backend) && gpu_list().gpus.empty())) continue;
        const std::string name = fmt::format("{}/{}/{}", method->info().name, to_string(backend), to_string(phase));
        benchmark::RegisterBenchmark(name.c_str(), measure, std::cref(*method), backend, phase)
            ->UseManualTime()
            ->Unit(benchmark::kMicrosecond);
      }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    register_benchmarks();
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
  } catch (const InputError& error) {
    fmt::print(stderr, "attnscope-gbench: {}\n", error.what());
    return 2;
  }
}
