// SPDX-License-Identifier: Apache-2.0
// Statistics of two series of values whose distributions are unknown: ranks and order statistics only.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace attnscope::reports {

/// Up to this many values in both series together, tests and intervals are exact.
inline constexpr std::size_t kExactTotal = 32;

/// Two-sided p of Mann and Whitney's U test that neither series tends to larger values. For up to kExactTotal values
/// the permutation test: the share of all ways to divide the pooled values into two such series whose rank sum is as
/// far from its mean, equal values sharing the mean of their ranks. For more the normal approximation with tie and
/// continuity correction. 1 when all values are equal. Both series non-empty.
double mann_whitney_p(std::span<const double> a, std::span<const double> b);

struct RatioInterval {
  double ratio = 1;  // median(b) / median(a)
  double low = 0;
  double high = 0;
};

/// Ratio of the medians with an interval that covers the true one with probability ≥ 1 − alpha; [0, infinity) where
/// there are too few values for that. Both series non-empty and positive.
///
/// For up to kExactTotal values, Moses' interval: the ratios by which b can be divided without mann_whitney_p rejecting
/// at alpha lie between the c-th smallest and the c-th largest of all b_j / a_i; exact when the distributions differ by
/// a factor only. For more values, whatever the distributions: each median lies between two order statistics with
/// probability ≥ 1 − alpha/2 (the number of samples below it is binomial), so both do with ≥ 1 − alpha.
RatioInterval median_ratio(std::span<const double> a, std::span<const double> b, double alpha);

/// The fastest tenth of both series: ratio of their 10th percentiles (nearest rank from below). Interference from other
/// work only ever adds time, so it moves the slow samples; slower code moves the fast ones as well.
double fast_ratio(std::span<const double> a, std::span<const double> b);

/// How far the series moved while it was taken, as a share: twice the distance between the medians of its halves, which
/// for a steady drift is the way from its first sample to its last. 0 for fewer than four samples.
double drift(std::span<const double> samples);

/// Holm's adjustment: multiplies each p so that the probability of any p ≤ alpha is at most alpha while all hypotheses
/// hold, however they depend on each other.
std::vector<double> holm_adjusted(std::span<const double> p);

}  // namespace attnscope::reports
