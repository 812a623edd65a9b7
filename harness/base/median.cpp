// SPDX-License-Identifier: Apache-2.0
#include "harness/base/median.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>
#include <vector>

namespace attnscope {
namespace {

std::vector<double> sorted(std::span<const double> samples) {
  std::vector<double> result(samples.begin(), samples.end());
  std::ranges::sort(result);
  return result;
}

/// The largest r with P(binomial(n, 1/2) < r) ≤ tail: the r-th smallest and the r-th largest of n samples enclose the
/// median with probability ≥ 1 − 2 · tail; 0 where not even the extremes do.
std::size_t interval_rank(std::size_t n, double tail) {
  const auto count = static_cast<double>(n);
  double below = 0;  // P(binomial ≤ r)
  for (std::size_t r = 0;; ++r) {
    const auto k = static_cast<double>(r);
    below +=
        std::exp(std::lgamma(count + 1) - std::lgamma(k + 1) - std::lgamma(count - k + 1) - count * std::numbers::ln2);
    if (below > tail) return r;
  }
}

}  // namespace

double median(std::span<const double> samples) {
  assert(!samples.empty());
  const std::vector<double> x = sorted(samples);
  const std::size_t middle = x.size() / 2;
  return x.size() % 2 ? x[middle] : (x[middle - 1] + x[middle]) / 2;
}

std::optional<Interval> median_interval(std::span<const double> samples, double alpha) {
  assert(0 < alpha && alpha < 1);
  const std::size_t rank = interval_rank(samples.size(), alpha / 2);
  if (rank == 0) return std::nullopt;
  const std::vector<double> x = sorted(samples);
  return Interval{x[rank - 1], x[x.size() - rank]};
}

Interval median_interval_or_range(std::span<const double> samples, double alpha) {
  const auto [least, most] = std::ranges::minmax(samples);
  return median_interval(samples, alpha).value_or(Interval{least, most});
}

}  // namespace attnscope
