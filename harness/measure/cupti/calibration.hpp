// SPDX-License-Identifier: Apache-2.0
// Counters against kernels whose work is known: how far a counted FLOP or byte is from a real one on this chip.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace attnscope {

/// Factors are counted ÷ known; 1 means that the counter counts what its name says. Absent when not countable here.
struct Calibration {
  std::optional<double> tensor_flops_factor;   // bf16 mma.sync matrix product, known 2·M·N·K
  std::optional<double> fp_flops_factor;       // fp32 FMA, 2 FLOPs each
  std::optional<double> fp_half_flops_factor;  // packed fp16 FMA, 4 FLOPs each
  std::optional<double> dram_read_factor;      // copies much larger than L2: bytes of the source
  std::optional<double> dram_write_factor;     // the same: bytes of the target
  std::optional<double> range_overhead_ns;     // gpu_time_ns of a range around an empty kernel
  std::string how;                             // one sentence
  std::string reason;                          // why factors are absent
};

/// Runs the known kernels on the current device under the counters. Loads CUPTI: not for a process that times.
Calibration calibrate_counters();

nlohmann::json to_json(const Calibration& calibration);

}  // namespace attnscope
