// SPDX-License-Identifier: Apache-2.0
// The median of samples whose distribution is unknown, and how well they know it: order statistics only.
#pragma once

#include <optional>
#include <span>

namespace attnscope {

struct Interval {
  double low = 0;
  double high = 0;
};

/// Of a non-empty series in any order; the mean of the two middle values when their number is even.
double median(std::span<const double> samples);

/// The narrowest symmetric pair of order statistics that holds the median of the distribution with probability
/// ≥ 1 − alpha, whatever the distribution: the number of samples below the median is binomial(n, 1/2). Nothing when
/// there are too few samples for that (for alpha = 0.05, fewer than 6). 0 < alpha < 1.
std::optional<Interval> median_interval(std::span<const double> samples, double alpha);

/// The same, or from the least to the most of the samples where they are too few: the best that can be said then.
Interval median_interval_or_range(std::span<const double> samples, double alpha);

}  // namespace attnscope
