// SPDX-License-Identifier: Apache-2.0
// Statistics of samples whose distribution is unknown: order statistics only.
#pragma once

#include <span>

namespace attnscope {

struct Interval {
  double low = 0;
  double high = 0;
};

/// Of a non-empty series in any order; the mean of the two middle values when their number is even.
double median(std::span<const double> samples);

/// The narrowest symmetric pair of order statistics that holds the median of the distribution with probability ≥ 95 %,
/// whatever the distribution: the number of samples below the median is binomial(n, 1/2). Fewer than 6 samples cannot
/// give 95 %; their smallest and largest are returned.
Interval median_interval(std::span<const double> samples);

}  // namespace attnscope
