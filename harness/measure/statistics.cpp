// SPDX-License-Identifier: Apache-2.0
#include "harness/measure/statistics.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <vector>

namespace attnscope {
namespace {

constexpr double kTail = 0.025;  // on either side of a 95 % interval

std::vector<double> sorted(std::span<const double> samples) {
  assert(!samples.empty());
  std::vector<double> result(samples.begin(), samples.end());
  std::ranges::sort(result);
  return result;
}

/// The largest r with P(binomial(n, 1/2) < r) ≤ kTail, at least 1: the r-th smallest and r-th largest of n samples
/// enclose the median.
std::size_t interval_rank(std::size_t n) {
  const auto count = static_cast<double>(n);
  double below = 0;  // P(binomial < r)
  for (std::size_t r = 0;; ++r) {
    const auto k = static_cast<double>(r);
    below += std::exp(std::lgamma(count + 1) - std::lgamma(k + 1) - std::lgamma(count - k + 1) - count * std::log(2.0));
    if (below > kTail) return std::max<std::size_t>(r, 1);
  }
}

}  // namespace

double median(std::span<const double> samples) {
  const std::vector<double> x = sorted(samples);
  const std::size_t middle = x.size() / 2;
  return x.size() % 2 ? x[middle] : (x[middle - 1] + x[middle]) / 2;
}

Interval median_interval(std::span<const double> samples) {
  const std::vector<double> x = sorted(samples);
  const std::size_t rank = interval_rank(x.size());
  return {x[rank - 1], x[x.size() - rank]};
}

}  // namespace attnscope
