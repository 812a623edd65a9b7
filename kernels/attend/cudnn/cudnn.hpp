// SPDX-License-Identifier: Apache-2.0
// Dense attention by cuDNN: the baseline that a sparse method has to beat on an NVIDIA GPU. libcudnn is loaded when
// first asked for, never linked; builds without the cuDNN front end's headers say so in `cudnn_unsupported`.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "harness/base/attention.hpp"

namespace attnscope::attend {

/// Why cuDNN cannot run this shape here (not built in, library not found, f32 inputs, head_dim), or nothing.
std::optional<std::string> cudnn_unsupported(const Shape& shape);

/// One planned forward call on fixed device pointers. Planning happens in the constructor, which throws Error with
/// cuDNN's own words when it finds no plan and OutOfMemory when its workspace does not fit.
class CudnnAttention {
 public:
  CudnnAttention(const AttentionInputs& inputs, const AttentionOutputs& outputs, void* stream);
  ~CudnnAttention();
  /// Enqueues the call on the stream; no allocation, no synchronisation.
  void run();

 private:
  struct Plan;
  std::unique_ptr<Plan> plan_;
};

}  // namespace attnscope::attend
