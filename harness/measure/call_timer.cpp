// SPDX-License-Identifier: Apache-2.0
#include "harness/measure/call_timer.hpp"

#include "harness/base/error.hpp"
#include "harness/measure/cpu_cache.hpp"

namespace attnscope {

std::optional<std::string> contract_unavailable(Contract contract, Backend backend, const Execution& execution) {
  if (on_device(backend)) return contract == Contract::graph ? execution.not_capturable() : std::nullopt;
  if (contract == Contract::graph) return "contract graph: CUDA graphs exist on GPUs only";
  if (contract == Contract::cold && !can_flush_cpu_caches())
    return "contract cold: this processor has no clflushopt to empty its caches with";
  return std::nullopt;
}

std::unique_ptr<CallTimer> make_call_timer(Contract contract, Backend backend, const TimedCall& call) {
  return on_device(backend) ? make_gpu_timer(contract, call) : make_cpu_timer(contract, call);
}

#if !ATTNSCOPE_CUDA
std::unique_ptr<CallTimer> make_gpu_timer(Contract, const TimedCall&) {
  throw MachineError("a GPU timer asked for in a build without CUDA");
}
#endif

}  // namespace attnscope
