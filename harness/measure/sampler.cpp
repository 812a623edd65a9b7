// SPDX-License-Identifier: Apache-2.0
#include "harness/measure/sampler.hpp"

#include <algorithm>
#include <chrono>

#include "harness/base/median.hpp"

namespace attnscope {
record::Time sample(const Sampling& sampling, const std::function<double()>& measure_once) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::duration<double>(sampling.max_seconds);
  record::Time time;
  while (time.stopped_because.empty()) {
    time.samples_ns.push_back(measure_once());
    const auto count = std::ssize(time.samples_ns);
    const Interval interval = median_interval_or_range(time.samples_ns, 0.05);
    time.median_ns = median(time.samples_ns);
    time.ci_low_ns = interval.low;
    time.ci_high_ns = interval.high;
    if (count >= sampling.min_samples && interval.high - interval.low <= sampling.ci_width * time.median_ns)
      time.stopped_because = "ci_width";
    else if (count >= sampling.max_samples)
      time.stopped_because = "max_samples";
    else if (Clock::now() >= deadline)
      time.stopped_because = "max_time";
  }
  time.process_samples = {std::ssize(time.samples_ns)};
  return time;
}

}  // namespace attnscope
