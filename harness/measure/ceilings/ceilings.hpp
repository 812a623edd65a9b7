// SPDX-License-Identifier: Apache-2.0
// What this machine can do at best, measured: the denominators of every "share of peak" in a report.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

namespace attnscope {

/// One measured limit. `low` and `high` are the 10th and 90th percentile of `samples` repetitions.
struct Ceiling {
  double median = 0;
  double low = 0;
  double high = 0;
  int samples = 0;
  std::string how;  // one line: operation, size, threads or grid, instruction set or library
};

/// By name; the unit is the end of the name.
///   CPU: fma_f32_1t_flops_per_s fma_f32_flops_per_s read_1t_bytes_per_s read_bytes_per_s copy_bytes_per_s
///   GPU: read_bytes_per_s copy_bytes_per_s l2_read_bytes_per_s matmul_bf16_flops_per_s launch_ns graph_node_ns
/// Copies count bytes read plus bytes written.
using Ceilings = std::map<std::string, Ceiling>;

/// `quick` takes at most about 3 s on the CPU and 1 s on the GPU; `full` about five times that.
enum class Effort { quick, full };

/// Uses all OpenMP threads for the figures without `_1t`. Arrays are at least 2 GiB, less where memory is short.
Ceilings measure_cpu_ceilings(Effort effort);
/// On the current device; empty in a build without CUDA or on a machine without a GPU.
Ceilings measure_gpu_ceilings(Effort effort);

/// {name: {median, low, high, samples, how}}
nlohmann::json to_json(const Ceilings& ceilings);

/// Of {device: to_json(Ceilings)} measured at several times, each ceiling from the time at which its median was the
/// middle one (the lower of two). At least one; all name the same ceilings.
nlohmann::json middle_ceilings(std::span<const nlohmann::json> times);

}  // namespace attnscope
