// SPDX-License-Identifier: Apache-2.0
// Tier T2: hardware counters of ranges of work, by CUPTI's range profiler with user ranges and user replay. Only for
// builds with CUDA.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "harness/measure/cupti/metric_host.hpp"
#include "harness/measure/cupti/metrics.hpp"
#include "harness/measure/cupti/stage_log.hpp"

struct CUpti_RangeProfiler_Object;

namespace attnscope {

using Counters = std::map<std::string, double>;

/// CUPTI's name of the current GPU's chip, e.g. "GH100".
std::string current_chip();

/// Collects one plan on the current GPU while it lives. Ranges are pushed and popped by the thread that made it.
class RangeProfiler {
 public:
  /// Throws CuptiError when counting is refused, MachineError when the plan needs more than one pass on this GPU.
  RangeProfiler(const Plan& plan, std::size_t max_ranges);

  void start();
  /// Begins range number `index` (0, 1, ... below max_ranges). Waits for the GPU before and, in `pop`, after, so that a
  /// range holds its own work only.
  void push(std::size_t index);
  void pop();
  /// Ends the pass and returns the counters of every range by its number.
  std::vector<Counters> stop();

 private:
  struct Disable {
    void operator()(CUpti_RangeProfiler_Object* profiler) const;
  };

  Plan plan_;
  std::vector<std::string> metrics_;
  MetricHost host_;
  // CUPTI keeps pointers to these three.
  std::vector<std::uint8_t> configuration_;
  std::vector<std::uint8_t> counter_data_;
  std::vector<std::string> range_names_;
  std::unique_ptr<CUpti_RangeProfiler_Object, Disable> profiler_;
};

/// Counters of one whole execution of `call`.
Counters count_call(const Plan& plan, const std::function<void()>& call);

/// Counters by stage of one execution of `call`, in which `occurrences` stages begin; as many entries as there are
/// different stages, in order of first occurrence.
std::vector<Counters> count_stages(const Plan& plan, const std::string& method, std::size_t occurrences,
                                   const std::function<void(StageObserver&)>& call);

/// Adds a range's counters to those of its stage, by each counter's Rollup.
void accumulate(Counters& stage, const Counters& range, const Plan& plan);

}  // namespace attnscope
