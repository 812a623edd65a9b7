// SPDX-License-Identifier: Apache-2.0
// exp, log and sine in double from IEEE operations alone. The C library's differ in the last bit from machine to
// machine; workloads must not. Relative error below 1e-15 for the arguments the generators use.
#pragma once

#include <bit>
#include <cstdint>
#include <initializer_list>

namespace attnscope::portable {

/// e^x for |x| ≤ 700: 2^n e^r with |r| ≤ ln 2 / 2, Taylor to r^13 (the next term is 4e-18).
inline double exp(double x) {
  constexpr double kRound = 6755399441055744.0;  // 1.5 · 2^52: adding it rounds to an integer
  constexpr double kLn2High = 0x1.62e42feep-1, kLn2Low = 1.9082149292705877e-10;  // n · high is exact
  const double shifted = x * 1.4426950408889634 + kRound;
  const double n = shifted - kRound;
  const double r = (x - n * kLn2High) - n * kLn2Low;
  double sum = 1.0 / 6227020800;
  sum = sum * r + 1.0 / 479001600;
  sum = sum * r + 1.0 / 39916800;
  sum = sum * r + 1.0 / 3628800;
  sum = sum * r + 1.0 / 362880;
  sum = sum * r + 1.0 / 40320;
  sum = sum * r + 1.0 / 5040;
  sum = sum * r + 1.0 / 720;
  sum = sum * r + 1.0 / 120;
  sum = sum * r + 1.0 / 24;
  sum = sum * r + 1.0 / 6;
  sum = sum * r + 1.0 / 2;
  sum = (sum * r + 1.0) * r + 1.0;
  // The low bits of `shifted` hold n; moved into the exponent field they multiply by 2^n.
  return std::bit_cast<double>(std::bit_cast<std::uint64_t>(sum) + (std::bit_cast<std::uint64_t>(shifted) << 52));
}

/// ln x for positive normal x: x = 2^e m with m in [√½, √2), ln m = 2 artanh((m−1)/(m+1)).
inline double log(double x) {
  constexpr std::uint64_t kSqrtHalf = 0x3FE6A09E667F3BCDu;
  const std::uint64_t shifted = std::bit_cast<std::uint64_t>(x) - kSqrtHalf;
  const auto exponent = static_cast<double>(static_cast<std::int64_t>(shifted) >> 52);
  const double m = std::bit_cast<double>((shifted & 0x000FFFFFFFFFFFFFu) + kSqrtHalf);
  const double s = (m - 1) / (m + 1), t = s * s;
  double sum = 1.0 / 21;
  for (const double odd : {19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0}) sum = sum * t + 1.0 / odd;
  return exponent * 0.69314718055994531 + 2 * (s + s * t * sum);
}

struct SineCosine {
  double sine = 0;
  double cosine = 1;
};

/// Sine and cosine of 2π·turns. The whole turns are dropped exactly, so that large phases keep their accuracy.
SineCosine sine_cosine(double turns);

/// Φ, the standard normal distribution function, |x| ≤ 8.
double normal_cdf(double x);

/// Φ⁻¹ for p in (0, 1), by bisection to 1e-14.
double normal_quantile(double p);

}  // namespace attnscope::portable
