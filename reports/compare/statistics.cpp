// SPDX-License-Identifier: Apache-2.0
#include "reports/compare/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numbers>
#include <numeric>
#include <utility>
#include <vector>

#include "harness/base/median.hpp"

namespace attnscope::reports {
namespace {

constexpr Interval kUnbounded{0, std::numeric_limits<double>::infinity()};

/// Twice the rank of each value of a, then of b, among all of them: whole numbers, although equal values share the mean
/// of their ranks.
std::vector<std::size_t> doubled_ranks(std::span<const double> a, std::span<const double> b) {
  std::vector<std::pair<double, std::size_t>> pooled;  // value, place
  for (const double value : a) pooled.emplace_back(value, pooled.size());
  for (const double value : b) pooled.emplace_back(value, pooled.size());
  std::ranges::sort(pooled);
  std::vector<std::size_t> ranks(pooled.size());
  for (std::size_t first = 0, last = 0; first < pooled.size(); first = last) {
    while (last < pooled.size() && pooled[last].first == pooled[first].first) ++last;
    for (std::size_t i = first; i < last; ++i) ranks[pooled[i].second] = first + last + 1;
  }
  return ranks;
}

/// Of all ways to choose `chosen` of the ranks, the share with each sum, by sum.
std::vector<double> sum_distribution(std::span<const std::size_t> ranks, std::size_t chosen) {
  const std::size_t most = std::accumulate(ranks.begin(), ranks.end(), std::size_t{0});
  std::vector<std::vector<double>> ways(chosen + 1, std::vector<double>(most + 1));  // by number chosen and sum
  ways[0][0] = 1;
  for (const std::size_t rank : ranks)
    for (std::size_t count = chosen; count > 0; --count)
      for (std::size_t sum = rank; sum <= most; ++sum) ways[count][sum] += ways[count - 1][sum - rank];
  const double all = std::accumulate(ways[chosen].begin(), ways[chosen].end(), 0.0);
  for (double& share : ways[chosen]) share /= all;
  return ways[chosen];
}

double exact_p(std::span<const std::size_t> ranks, std::size_t na, std::size_t sum) {
  const auto distance = [center = na * (ranks.size() + 1)](std::size_t s) {
    return s > center ? s - center : center - s;
  };
  const std::vector<double> share = sum_distribution(ranks, na);
  double p = 0;
  for (std::size_t s = 0; s < share.size(); ++s)
    if (distance(s) >= distance(sum)) p += share[s];
  return std::min(p, 1.0);
}

double normal_p(std::span<const std::size_t> ranks, std::size_t size_a, std::size_t sum) {
  std::map<std::size_t, double> groups;  // of equal values, by rank
  for (const std::size_t rank : ranks) ++groups[rank];
  double ties = 0;
  for (const auto& [rank, t] : groups) ties += t * t * t - t;

  const auto n = static_cast<double>(ranks.size());
  const auto na = static_cast<double>(size_a);
  const double nb = n - na;
  const double u = static_cast<double>(sum) / 2 - na * (na + 1) / 2;
  const double variance = na * nb / 12 * (n + 1 - ties / (n * (n - 1)));
  if (!(variance > 0)) return 1;
  const double distance = std::max(0.0, std::abs(u - na * nb / 2) - 0.5);
  return std::erfc(distance / std::sqrt(variance) / std::numbers::sqrt2);
}

/// The largest c with P(U < c) ≤ tail for series of these sizes without equal values; 0 where there is none.
std::size_t moses_rank(std::size_t na, std::size_t nb, double tail) {
  std::vector<std::size_t> ranks(na + nb);
  std::iota(ranks.begin(), ranks.end(), std::size_t{1});
  const std::vector<double> share = sum_distribution(ranks, na);
  double below = 0;
  std::size_t c = 0;
  for (std::size_t sum = na * (na + 1) / 2; sum < share.size(); ++sum, ++c)
    if ((below += share[sum]) > tail) break;
  return c;
}

Interval moses_interval(std::span<const double> a, std::span<const double> b, double alpha) {
  const std::size_t c = moses_rank(a.size(), b.size(), alpha / 2);
  if (c == 0) return kUnbounded;
  std::vector<double> ratios;
  for (const double x : a)
    for (const double y : b) ratios.push_back(y / x);
  std::ranges::sort(ratios);
  return {ratios[c - 1], ratios[ratios.size() - c]};
}

Interval quotient_interval(std::span<const double> a, std::span<const double> b, double alpha) {
  const Interval base = median_interval(a, alpha / 2).value_or(kUnbounded);
  const Interval other = median_interval(b, alpha / 2).value_or(kUnbounded);
  return {other.low / base.high, base.low > 0 ? other.high / base.low : kUnbounded.high};
}

}  // namespace

double mann_whitney_p(std::span<const double> a, std::span<const double> b) {
  const std::vector<std::size_t> ranks = doubled_ranks(a, b);
  const std::size_t sum = std::accumulate(ranks.begin(), ranks.begin() + std::ssize(a), std::size_t{0});
  return ranks.size() <= kExactTotal ? exact_p(ranks, a.size(), sum) : normal_p(ranks, a.size(), sum);
}

RatioInterval median_ratio(std::span<const double> a, std::span<const double> b, double alpha) {
  const Interval interval =
      a.size() + b.size() <= kExactTotal ? moses_interval(a, b, alpha) : quotient_interval(a, b, alpha);
  return {.ratio = median(b) / median(a), .low = interval.low, .high = interval.high};
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

std::vector<double> holm_adjusted(std::span<const double> p) {
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) { return p[i]; });
  std::vector<double> adjusted(p.size());
  double largest = 0;  // an adjusted p is never below that of a smaller p
  for (std::size_t i = 0; i < order.size(); ++i) {
    largest = std::max(largest, std::min(1.0, p[order[i]] * static_cast<double>(order.size() - i)));
    adjusted[order[i]] = largest;
  }
  return adjusted;
}

}  // namespace attnscope::reports
