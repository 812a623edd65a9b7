// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace attnscope {

/// Enqueues on `stream` (a cudaStream_t) one thread that waits for `nanoseconds` and touches no memory. Only for builds
/// with CUDA.
void enqueue_spin(double nanoseconds, void* stream);

}  // namespace attnscope
