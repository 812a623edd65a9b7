// SPDX-License-Identifier: Apache-2.0
#include "kernels/methods/magicpig/probability.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace attnscope::magicpig {
namespace {

double agreement(double cosine) { return 1 - std::acos(std::clamp(cosine, -1.0, 1.0)) / std::numbers::pi; }

}  // namespace

double sampling_probability(double agree, const select::Lsh& lsh) {
  // As 1 − (1 − m)^(L−1) (1 + (L−1) m): the difference from one would lose small u.
  const double match = std::pow(agree, static_cast<double>(lsh.bits));
  const auto others = static_cast<double>(lsh.tables - 1);
  return -std::expm1(others * std::log1p(-match) + std::log1p(others * match));
}

compose::Bounded log_weight(const compose::Bounded& cosine, const select::Lsh& lsh, double floor) {
  constexpr double kAgreeError = 0x1p-21 + 0x1p-24;
  const auto weight = [&](double agree) { return -std::log(sampling_probability(agree, lsh) + floor); };
  const double agree = agreement(cosine.value);
  const double value = weight(agree);
  const double highest = weight(std::max(agreement(cosine.low()) - kAgreeError, 0.0));
  const double lowest = weight(std::min(agreement(cosine.high()) + kAgreeError, 1.0));

  const double match = std::pow(agree, static_cast<double>(lsh.bits));
  const double a = match < 1 ? -static_cast<double>(lsh.tables - 1) * std::log1p(-match) : 0;
  const double u = sampling_probability(agree, lsh);
  const double evaluation = 7 * 0x1p-24 * a * (1 - u) / (u + floor) + 0x1p-22 * (1 + std::abs(value));
  return {.value = value, .error = std::max(highest - value, value - lowest) + evaluation};
}

}  // namespace attnscope::magicpig
