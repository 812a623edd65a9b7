// SPDX-License-Identifier: Apache-2.0
// Statistics of two series of samples whose distributions are unknown: ranks and order statistics only.
#pragma once

#include <span>

namespace attnscope::reports {

/// Two-sided p of Mann and Whitney's U test that neither series tends to larger values: normal approximation with tie
/// and continuity correction; 1 when all values are equal. Both series non-empty.
double mann_whitney_p(std::span<const double> a, std::span<const double> b);

struct RatioInterval {
  double ratio = 1;  // median(b) / median(a)
  double low = 0;
  double high = 0;
};

/// Ratio of the medians with an interval that covers the ratio of the true medians with probability ≥ 1 − alpha, for
/// any continuous distributions: each median lies between two order statistics with probability ≥ 1 − alpha/2 (the
/// number of samples below it is binomial), so both do with ≥ 1 − alpha. Too few samples for that give [0, infinity).
/// Both series non-empty and positive.
RatioInterval median_ratio(std::span<const double> a, std::span<const double> b, double alpha);

/// The fastest tenth of both series: ratio of their 10th percentiles (nearest rank from below). Interference from other
/// work only ever adds time, so it moves the slow samples; slower code moves the fast ones as well.
double fast_ratio(std::span<const double> a, std::span<const double> b);

/// How far the series moved while it was taken, as a share: twice the distance between the medians of its halves, which
/// for a steady drift is the way from its first sample to its last. 0 for fewer than four samples.
double drift(std::span<const double> samples);

}  // namespace attnscope::reports
