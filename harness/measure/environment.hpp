// SPDX-License-Identifier: Apache-2.0
// Where a record was made: build, machine, GPU, driver. Google Benchmark's context keys plus our own.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>

namespace attnscope {

/// The context of a record: Google Benchmark's keys (date, host_name, executable, num_cpus, mhz_per_cpu,
/// cpu_scaling_enabled, caches, load_avg, library_build_type) and `build`, `argv`, `machine`, `gpus`. Loads no CUPTI
/// and creates no CUDA context.
nlohmann::json environment(std::span<const std::string> argv);

}  // namespace attnscope
