// SPDX-License-Identifier: Apache-2.0
#include "harness/record/processes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "harness/base/median.hpp"

namespace attnscope::record {
namespace {

Time merge_times(std::span<const Point> results) {
  Time all;
  for (const Point& result : results) {
    std::ranges::copy(result.time->samples_ns, std::back_inserter(all.samples_ns));
    std::ranges::copy(result.time->process_samples, std::back_inserter(all.process_samples));
    std::ranges::copy(result.time->process_others, std::back_inserter(all.process_others));
    all.stopped_because = result.time->stopped_because;
  }
  if (all.process_others.size() != all.process_samples.size()) all.process_others.clear();  // not told for all
  const std::vector<double> medians = process_medians(all);
  const Interval interval = median_interval_or_range(medians, 0.05);
  all.median_ns = median(medians);
  all.ci_low_ns = interval.low;
  all.ci_high_ns = interval.high;
  return all;
}

std::optional<double> stage_median(std::span<const Point> results, const std::string& name) {
  std::vector<double> medians;
  for (const Point& result : results) {
    const auto stage = std::ranges::find(result.stages, name, &Stage::name);
    if (stage != result.stages.end() && stage->median_ns) medians.push_back(*stage->median_ns);
  }
  return medians.empty() ? std::nullopt : std::optional(median(medians));
}

}  // namespace

std::vector<std::span<const double>> process_series(const Time& time) {
  std::vector<std::span<const double>> series;
  std::span<const double> left = time.samples_ns;
  for (const std::int64_t count : time.process_samples) {
    series.push_back(left.first(static_cast<std::size_t>(count)));
    left = left.subspan(series.back().size());
  }
  return series;
}

std::vector<double> process_medians(const Time& time) {
  std::vector<double> medians;
  for (const auto& samples : process_series(time)) medians.push_back(median(samples));
  return medians;
}

Point merge_processes(std::span<const Point> results) {
  const auto failed = std::ranges::find_if(results, [](const Point& result) { return result.status != Status::ok; });
  if (failed != results.end()) {
    Point point = *failed;
    if (failed != results.begin())
      point.reason = fmt::format("in process {}: {}", failed - results.begin() + 1, point.reason);
    return point;
  }
  Point point = results.front();
  if (results.size() == 1) return point;
  point.time = merge_times(results);
  for (Stage& stage : point.stages) stage.median_ns = stage_median(results, stage.name);
  point.peak_host_bytes = std::ranges::max(results, {}, &Point::peak_host_bytes).peak_host_bytes;
  return point;
}

}  // namespace attnscope::record
