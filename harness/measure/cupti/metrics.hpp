// SPDX-License-Identifier: Apache-2.0
// Which hardware counters are collected on which chip, and what they are called in the record.
//
//   plan   canonical name      meaning (whole range)                          several ranges of one stage
//   core   gpu_time_ns         start to end of the range, GPU clock           add up
//          sm_cycles           elapsed cycles of the SM clock                 add up
//          sm_active_cycles    cycles with a warp resident, mean over SMs     add up
//          sm_clock_hz         SM clock during the range                      mean over time
//          mem_clock_hz        DRAM clock during the range                    mean over time
//          warps_active_pct    resident warps while any is, % of the most     mean over time
//          dram_read_bytes     DRAM → L2                                      add up
//          dram_write_bytes    L2 → DRAM                                      add up
//          l2_hit_requests     SM requests to L2 that hit                     add up
//          l2_miss_requests    and that missed                                add up
//          l2_sectors          32-byte sectors that those requests asked for  add up
//          tensor_flops        tensor-core FLOPs on the type of the inputs    add up
//                              (f32 inputs: on tf32)
//   bf16   tensor_bf16_flops   f32 inputs only: tensor-core FLOPs on bf16     add up
//   fp     fp_flops            CUDA-core FLOPs, all precisions, FMA = 2,      add up
//                              packed halves = 2 operations
//          fp16_flops          the part of fp_flops in fp16 and bf16          add up
//
// A plan is one pass over one execution, so its counters may be divided by each other; counters of different plans
// come from different executions of the same call and must not be. A range includes what the profiler does at its ends,
// some 80 µs on an H200 (Calibration::range_overhead_ns): for the rate of a short call, divide by its timed duration.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/base/shape.hpp"

namespace attnscope {

/// How the values of several ranges of one stage combine: added, or averaged with the ranges' gpu_time_ns as weight.
enum class Rollup { sum, time_mean };

/// A canonical counter as a weighted sum of CUPTI metrics.
struct Counter {
  struct Term {
    std::string metric;
    double weight = 1;
  };
  std::string name;
  Rollup rollup = Rollup::sum;
  std::vector<Term> terms;
};

/// Counters that one pass collects.
struct Plan {
  std::string name;
  std::vector<Counter> counters;

  /// The metrics of all counters, in order, each once.
  std::vector<std::string> metrics() const;
};

/// The plans that together describe one call on inputs of `dtype`, `core` first. Chips without DRAM counters
/// (integrated memory) lack the DRAM entries. Throws MachineError for chips below sm_80 and for unknown ones.
std::vector<Plan> counter_plans(std::string_view chip, Dtype dtype);

}  // namespace attnscope
