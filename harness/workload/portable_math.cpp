// SPDX-License-Identifier: Apache-2.0
#include "harness/workload/portable_math.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace attnscope::portable {

SineCosine sine_cosine(double turns) {
  const double quarter = std::floor(4 * (turns - std::floor(turns)) + 0.5);
  const double x = (turns - std::floor(turns) - quarter / 4) * 6.283185307179586;  // |x| ≤ π/4
  const double t = x * x;
  double sine = 0, cosine = 0;  // Taylor to x^17 and x^16, last coefficient first
  for (const double k : {17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0}) sine = (sine + 1) * -t / (k * (k - 1));
  for (const double k : {16.0, 14.0, 12.0, 10.0, 8.0, 6.0, 4.0, 2.0}) cosine = (cosine + 1) * -t / (k * (k - 1));
  sine = x + x * sine;
  cosine += 1;
  const int q = static_cast<int>(quarter) & 3;
  if (q & 1) std::swap(sine, cosine);
  return {.sine = q & 2 ? -sine : sine, .cosine = q == 1 || q == 2 ? -cosine : cosine};
}

double normal_cdf(double x) {
  // Φ(x) = ½ + φ(x) (x + x³/3 + x⁵/(3·5) + …): no cancellation, since all terms have the sign of x.
  double term = x, sum = x;
  for (double k = 3; std::abs(term) > 1e-17 * std::abs(sum); k += 2) sum += term *= x * x / k;
  return 0.5 + sum * 0.3989422804014327 * exp(-0.5 * x * x);
}

double normal_quantile(double p) {
  double low = -8, high = 8;
  for (int i = 0; i < 60; ++i) {
    const double middle = 0.5 * (low + high);
    (normal_cdf(middle) < p ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

}  // namespace attnscope::portable
