// SPDX-License-Identifier: Apache-2.0
// Puts the GPU's L2 cache into the state that the `cold` contract promises.
#pragma once

#include <cstddef>

#include "harness/device/buffer.hpp"

namespace attnscope {

/// Owns a scratch block of twice the L2 size of the current GPU. Throws MachineError without a GPU.
class L2Flush {
 public:
  L2Flush();
  /// Resets persisting lines to normal and enqueues on `stream` (a cudaStream_t) a write of the whole block, which
  /// displaces every other line, and a read of it, after which the cache holds clean lines: what it still had to write
  /// back would be counted against the call that follows.
  void operator()(void* stream);
  std::size_t bytes() const { return block_.bytes(); }

 private:
  Buffer block_;
};

}  // namespace attnscope
