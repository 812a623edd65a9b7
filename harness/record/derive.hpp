// SPDX-License-Identifier: Apache-2.0
// The one place where rates and ratios are computed. Records hold facts; everything shown that is a quotient of facts
// comes from here.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "harness/record/result.hpp"

namespace attnscope::record {

/// Quotients of one point; each is absent when one of its facts is. All over the median time of the whole call,
/// choosing included, amortised building excluded.
struct Derived {
  std::optional<double> useful_flops_per_s;    // flops.useful / time
  std::optional<double> executed_flops_per_s;  // flops.executed / time
  std::optional<double> model_bytes_per_s;     // bytes.model / time
  std::optional<double> dram_bytes_per_s;      // (dram_read + dram_write) / time
  std::optional<double> waste;                 // executed / (useful + select): work done per unit of work needed
  std::optional<double> dram_over_model;       // counted DRAM traffic / modelled bytes
  std::optional<double> intensity;             // (useful + select) FLOPs per modelled byte
  std::optional<double> speedup_over_dense;    // time of the dense baseline / time
  std::optional<double> flop_share;            // useful_flops_per_s / measured arithmetic ceiling
  std::optional<double> bandwidth_share;       // model_bytes_per_s / measured read ceiling
};

Derived derive(const Record& record, const Point& point);

/// The same of every point, in order; looks for the dense points once.
std::vector<Derived> derive_all(const Record& record);

/// What a call computes: useful + select FLOPs.
double needed_flops(const Point& point);

/// Counted DRAM traffic, both directions.
std::optional<double> dram_bytes(const Point& point);

/// The fastest timed `dense` point with the workload, shape, phase and contract of `point`, on the same kind of device
/// and never the reference backend; nullptr when there is none.
const Point* dense_baseline(std::span<const Point> points, const Point& point);

/// Measured limits of the device that `point` ran on, from context.ceilings.{cpu,gpu}; absent where not measured (no
/// matrix ceiling for f32 on a GPU).
struct DeviceCeilings {
  std::optional<double> flops_per_s;
  std::optional<double> read_bytes_per_s;
};
DeviceCeilings device_ceilings(const Record& record, const Point& point);

}  // namespace attnscope::record
