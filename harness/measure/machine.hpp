// SPDX-License-Identifier: Apache-2.0
// The host as /proc and /sys describe it.
#pragma once

#include <nlohmann/json.hpp>

namespace attnscope {

/// kernel, cpu_model, cores_online, numa_nodes, memory_bytes, governor, huge_pages, container: what the system tells;
/// a key is absent where it does not.
nlohmann::json describe_machine();

/// Google Benchmark's `caches`: [{type, level, size, num_sharing}] of the first core; empty where unknown.
nlohmann::json describe_caches();

/// MHz of the first core as the kernel tells it, 0 where it does not.
int cpu_mhz();

/// True when a frequency governor other than `performance` may change the clock.
bool cpu_scaling_enabled();

}  // namespace attnscope
