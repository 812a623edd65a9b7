// SPDX-License-Identifier: Apache-2.0
// One method, prepared on one backend with its own outputs and, on a GPU, its own copy of the inputs.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "harness/config/config.hpp"
#include "harness/device/buffer.hpp"
#include "harness/device/stream.hpp"
#include "harness/measure/call_timer.hpp"
#include "harness/method/method.hpp"
#include "harness/verify/compare.hpp"
#include "harness/workload/paged_cache.hpp"

namespace attnscope {

class MethodCall {
 public:
  /// `host` holds contiguous tensors and outlives the call; on the CPU it is read where it lies. When its shape has a
  /// cache_page, every backend but the reference gets copies of k and v in pages that `page_seed` scatters.
  /// Throws OutOfMemory.
  MethodCall(const Method& method, Backend backend, Phase phase, const Params& params, const AttentionInputs& host,
             std::uint64_t page_seed = 1);

  /// Makes the amortised structures.
  void build();
  /// Poisons the outputs, runs once and waits; the outputs on the host are then those of this run.
  void run_poisoned();

  Execution& execution() { return *execution_; }
  const AttentionInputs& inputs() const { return inputs_; }  // in the backend's memory
  void* stream() const { return stream_ ? stream_->handle() : nullptr; }
  const AttentionOutputs& host_outputs() const { return host_outputs_; }
  CompletedCall completed() const;
  TimedCall timed() { return {*execution_, inputs_, stream()}; }

  /// Of outputs, inputs and workspaces: of every buffer of this process.
  bool guards_intact() const;
  /// Bytes that Method::prepare allocated.
  std::int64_t workspace_bytes() const { return workspace_bytes_; }

 private:
  void wait() const;

  const Method& method_;
  Phase phase_;
  Params params_;
  AttentionInputs host_;
  std::optional<Stream> stream_;
  std::vector<Buffer> device_inputs_;
  std::optional<PagedCache> paged_cache_;
  AttentionInputs inputs_;
  Buffer o_, lse_;                    // in the backend's memory
  std::vector<std::byte> host_copy_;  // of the outputs of a device backend
  AttentionOutputs host_outputs_;
  std::int64_t workspace_bytes_ = 0;
  std::unique_ptr<Execution> execution_;
};

}  // namespace attnscope
