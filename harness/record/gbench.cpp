// SPDX-License-Identifier: Apache-2.0
// The view of a point that tools for Google Benchmark's JSON read. Points without a time have no row: such tools take
// every row for a latency.
#include "harness/record/json.hpp"

namespace attnscope::record {

nlohmann::json benchmark_row(const Point& point) {
  const std::string name = key(point);
  // One clock is read per call; cpu_time repeats it, because readers of this format expect both.
  nlohmann::json row{{"name", name},
                     {"run_name", name},
                     {"run_type", "iteration"},
                     {"repetitions", 1},
                     {"repetition_index", 0},
                     {"threads", 1},
                     {"iterations", point.time->samples_ns.size()},
                     {"real_time", point.time->median_ns},
                     {"cpu_time", point.time->median_ns},
                     {"time_unit", "ns"},
                     {"time_ci_low_ns", point.time->ci_low_ns},
                     {"time_ci_high_ns", point.time->ci_high_ns},
                     {"flops_dense", point.flops.dense},
                     {"flops_useful", point.flops.useful},
                     {"flops_select", point.flops.select},
                     {"bytes_model", point.bytes.model}};
  // Counters of this format are numbers: an absent one has no key.
  const auto counter = [&](const char* counter_name, const std::optional<double>& value) {
    if (value) row[counter_name] = *value;
  };
  counter("flops_executed", point.flops.executed);
  counter("dram_bytes_read", point.bytes.dram_read);
  counter("dram_bytes_written", point.bytes.dram_write);
  counter("density", point.density);
  counter("err_rel_l2", point.accuracy.rel_l2);
  counter("mass_recall", point.accuracy.mass_recall);
  counter("task_score", point.accuracy.task_score);
  return row;
}

}  // namespace attnscope::record
