// SPDX-License-Identifier: Apache-2.0
// Where an engine runs.
#pragma once

#include "harness/base/shape.hpp"
#include "harness/device/buffer.hpp"

namespace attnscope {

/// On Backend::cpu a call has completed when it returns. On Backend::cuda it has been enqueued on `stream`, and its
/// pointers are device pointers.
struct Queue {
  Backend backend = Backend::cpu;
  void* stream = nullptr;  // cudaStream_t

  Space space() const { return on_device(backend) ? Space::device : Space::host; }
};

}  // namespace attnscope
