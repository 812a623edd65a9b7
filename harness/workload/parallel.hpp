// SPDX-License-Identifier: Apache-2.0
// The generators' parallel loop: plain std::thread, joined before it returns, so that a process can fork afterwards.
#pragma once

#include <cstdint>
#include <functional>

namespace attnscope {

/// Calls body(i) once for every i in [0, count), on up to `threads` threads, in no stated order. Rethrows the first
/// exception of a body after all threads have stopped.
void parallel_for(std::int64_t count, int threads, const std::function<void(std::int64_t)>& body);

}  // namespace attnscope
