// SPDX-License-Identifier: Apache-2.0
// Times one call of a method under a contract, whole or by stage.
//   warm   caches as the previous identical call left them
//   cold   inputs in no cache: CPU lines flushed one by one, the GPU's L2 overwritten twice over
//   graph  the call as one launch of a CUDA graph, caches warm
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/attention.hpp"
#include "harness/config/config.hpp"
#include "harness/method/method.hpp"

namespace attnscope {

/// A stage's share of one call; a stage that recurs is summed.
struct StageTime {
  std::string name;
  StageKind kind;
  double ns = 0;
};

class CallTimer {
 public:
  virtual ~CallTimer() = default;
  /// Nanoseconds of one call of Execution::run.
  virtual double time_call() = 0;
  /// One call of Execution::run, or of Execution::build, with a clock at each stage boundary. Not under `graph`, where
  /// stages are timed warm. The clocks cost time of their own: the parts may sum to more than the whole.
  virtual std::vector<StageTime> time_stages(bool build) = 0;
};

/// An execution that has completed a call. Pointers are in the memory of its backend.
struct TimedCall {
  Execution& execution;
  AttentionInputs inputs;
  void* stream = nullptr;
};

/// Why `contract` cannot be honoured, or nothing.
std::optional<std::string> contract_unavailable(Contract contract, Backend backend, const Execution& execution);

/// `contract` must be available.
std::unique_ptr<CallTimer> make_call_timer(Contract contract, Backend backend, const TimedCall& call);

std::unique_ptr<CallTimer> make_cpu_timer(Contract contract, const TimedCall& call);
/// On the GPU a call is timed by two events on its stream. Before the first event the stream spins for longer than the
/// host needs to enqueue the call, so that its kernels run back to back and launch latency does not count; under
/// `cold` the flush comes before the spin. Throws MachineError in a build without CUDA.
std::unique_ptr<CallTimer> make_gpu_timer(Contract contract, const TimedCall& call);

}  // namespace attnscope
