// SPDX-License-Identifier: Apache-2.0
#include "reports/compare/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>
#include <vector>

namespace attnscope::reports {
namespace {

std::vector<double> sorted(std::span<const double> samples) {
  std::vector<double> values(samples.begin(), samples.end());
  std::ranges::sort(values);
  return values;
}

double median_of_sorted(const std::vector<double>& values) {
  const std::size_t n = values.size();
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

// The interval [x_(k), x_(n+1−k)] of the sorted samples that holds the true median with probability ≥ 1 − alpha: the
// largest k ≥ 1 with P(binomial(n, 1/2) < k) ≤ alpha / 2. Unbounded when even k = 1 does not reach it.
std::pair<double, double> median_interval(const std::vector<double>& values, double alpha) {
  const std::size_t n = values.size();
  const auto trials = static_cast<double>(n);
  double below = 0;  // P(binomial < k)
  std::size_t k = 0;
  for (; 2 * (k + 1) <= n + 1; ++k) {
    const auto successes = static_cast<double>(k);
    below += std::exp(std::lgamma(trials + 1) - std::lgamma(successes + 1) - std::lgamma(trials - successes + 1) -
                      trials * std::numbers::ln2);
    if (below > alpha / 2) break;
  }
  if (k == 0) return {0, std::numeric_limits<double>::infinity()};
  return {values[k - 1], values[n - k]};
}

}  // namespace

double median(std::span<const double> samples) { return median_of_sorted(sorted(samples)); }

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
  const std::vector<double> base = sorted(a);
  const std::vector<double> other = sorted(b);
  const auto [base_low, base_high] = median_interval(base, alpha / 2);
  const auto [other_low, other_high] = median_interval(other, alpha / 2);
  return {.ratio = median_of_sorted(other) / median_of_sorted(base),
          .low = other_low / base_high,
          .high = base_low > 0 ? other_high / base_low : std::numeric_limits<double>::infinity()};
}

double fast_ratio(std::span<const double> a, std::span<const double> b) {
  const auto fast = [](std::span<const double> samples) { return sorted(samples)[(samples.size() - 1) / 10]; };
  return fast(b) / fast(a);
}

double drift(std::span<const double> samples) {
  if (samples.size() < 4) return 0;
  const double first = median(samples.first(samples.size() / 2));
  const double second = median(samples.last(samples.size() / 2));
  return 2 * (std::max(first, second) / std::min(first, second) - 1);
}

}  // namespace attnscope::reports
