// SPDX-License-Identifier: Apache-2.0
// How likely two vectors at a given angle collide, in single precision on every backend.
#pragma once

#include <cmath>

#include "harness/base/kv_cache.hpp"

namespace attnscope::select {

/// −ln(u + floor), u the probability that vectors at an angle θ = arccos(cosine) share at least two of `tables` codes
/// of `bits` signs. One sign agrees with probability p = 1 − θ/π, so a code with m = p^bits, and
///   u = 1 − (1 − m)^L − L m (1 − m)^(L−1) = 1 − (1 − m)^(L−1) (1 + (L−1) m).
/// Through expm1 and log1p: small u would be lost in differences from one. Requires tables ≥ 2.
ATTNSCOPE_HOST_DEVICE inline float log_weight(float cosine, int bits, int tables, float floor) {
  constexpr float kInversePi = 0.318309886f;
  const float angle = std::acos(std::fmin(std::fmax(cosine, -1.0f), 1.0f));
  const float agree = std::fmax(1.0f - angle * kInversePi, 0.0f);
  float match = agree;
  for (int bit = 1; bit < bits; ++bit) match *= agree;
  const auto others = static_cast<float>(tables - 1);
  const float u = -std::expm1(others * std::log1p(-match) + std::log1p(others * match));  // 1 when match is 1
  return -std::log(u + floor);
}

}  // namespace attnscope::select
