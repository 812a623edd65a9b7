// SPDX-License-Identifier: Apache-2.0
// The CPU's parallel loop outside the kernels: plain std::thread, joined before it returns, so that a process can fork
// afterwards.
#pragma once

#include <cstdint>
#include <functional>

namespace attnscope {

/// How many threads run at once on this machine; 1 where that is not known.
int hardware_threads();

/// Calls body(i) once for every i in [0, count), on up to `threads` threads, in no stated order. Rethrows the first
/// exception of a body after all threads have stopped.
void parallel_for(std::int64_t count, int threads, const std::function<void(std::int64_t)>& body);

}  // namespace attnscope
