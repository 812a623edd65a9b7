// SPDX-License-Identifier: Apache-2.0
#include "reports/compare/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>
#include <vector>

#include "harness/base/median.hpp"

namespace attnscope::reports {
namespace {

// Unbounded where there are too few samples for an interval.
Interval interval_of(std::span<const double> samples, double alpha) {
  return median_interval(samples, alpha).value_or(Interval{0, std::numeric_limits<double>::infinity()});
}

}  // namespace

double mann_whitney_p(std::span<const double> a, std::span<const double> b) {
  std::vector<std::pair<double, bool>> pooled;  // value, is from a
  for (const double value : a) pooled.emplace_back(value, true);
  for (const double value : b) pooled.emplace_back(value, false);
  std::ranges::sort(pooled);

  const auto na = static_cast<double>(a.size());
  const auto nb = static_cast<double>(b.size());
  const double n = na + nb;
  double rank_sum = 0;  // of a; equal values share the mean of their ranks
  double ties = 0;      // sum of t³ − t over groups of t equal values
  for (std::size_t first = 0; first < pooled.size();) {
    std::size_t last = first;
    double from_a = 0;
    for (; last < pooled.size() && pooled[last].first == pooled[first].first; ++last) from_a += pooled[last].second;
    const auto t = static_cast<double>(last - first);
    rank_sum += from_a * (static_cast<double>(first + last) + 1) / 2;
    ties += t * t * t - t;
    first = last;
  }

  const double u = rank_sum - na * (na + 1) / 2;
  const double variance = na * nb / 12 * (n + 1 - ties / (n * (n - 1)));
  if (!(variance > 0)) return 1;
  const double distance = std::max(0.0, std::abs(u - na * nb / 2) - 0.5);
  return std::erfc(distance / std::sqrt(variance) / std::numbers::sqrt2);
}

RatioInterval median_ratio(std::span<const double> a, std::span<const double> b, double alpha) {
  const auto [base_low, base_high] = interval_of(a, alpha / 2);
  const auto [other_low, other_high] = interval_of(b, alpha / 2);
  return {.ratio = median(b) / median(a),
          .low = other_low / base_high,
          .high = base_low > 0 ? other_high / base_low : std::numeric_limits<double>::infinity()};
}

double fast_ratio(std::span<const double> a, std::span<const double> b) {
  const auto fast = [](std::span<const double> samples) {
    std::vector<double> values(samples.begin(), samples.end());
    const auto tenth = values.begin() + (std::ssize(values) - 1) / 10;
    std::ranges::nth_element(values, tenth);
    return *tenth;
  };
  return fast(b) / fast(a);
}

double drift(std::span<const double> samples) {
  if (samples.size() < 4) return 0;
  const double first = median(samples.first(samples.size() / 2));
  const double second = median(samples.last(samples.size() / 2));
  return 2 * (std::max(first, second) / std::min(first, second) - 1);
}

}  // namespace attnscope::reports
