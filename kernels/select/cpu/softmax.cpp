// SPDX-License-Identifier: Apache-2.0
#include "kernels/select/cpu/softmax.hpp"

#include <algorithm>
#include <numbers>
#include <vector>

#include "kernels/select/cpu/cut.hpp"

// foreach_target.h compiles this file once per instruction set and comes before what it compiles.
// clang-format off
#include "kernels/core/simd_targets.hpp"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/select/cpu/softmax.cpp"
#include <hwy/foreach_target.h>

#include "kernels/core/simd-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace attnscope::select {
namespace HWY_NAMESPACE {

using namespace attnscope::HWY_NAMESPACE;  // the vocabulary of this instruction set

void add_weights(std::span<const float> scores, float max, float factor, float* HWY_RESTRICT weights) {
  const F32 d;
  const VecF vmax = hn::Set(d, max), log2e = hn::Set(d, std::numbers::log2e_v<float>), f = hn::Set(d, factor);
  const auto sum = [&](const float* s, const float* w)
                       HWY_ATTR { return hn::MulAdd(f, exp2(hn::Mul(hn::Sub(widen(s), vmax), log2e)), widen(w)); };
  const auto size = static_cast<std::int64_t>(scores.size());
  std::int64_t i = 0;
  for (; i + kLanes <= size; i += kLanes) hn::StoreU(sum(scores.data() + i, weights + i), d, weights + i);
  if (i == size) return;
  HWY_ALIGN float s[kLanes] = {}, w[kLanes] = {};
  std::copy(scores.begin() + i, scores.end(), s);
  std::copy_n(weights + i, size - i, w);
  hn::Store(sum(s, w), d, w);
  std::copy_n(w, size - i, weights + i);
}

}  // namespace HWY_NAMESPACE
}  // namespace attnscope::select
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace attnscope::select {

HWY_EXPORT(add_weights);

void add_weights(std::span<const float> scores, float max, float factor, float* weights) {
  HWY_DYNAMIC_DISPATCH(add_weights)(scores, max, factor, weights);
}

float row_max(std::span<const float> row) {
  std::vector<float> maxima(static_cast<std::size_t>(parts_of(row)));
  for_parts(row, [&](std::int64_t part, std::span<const float> scores) {
    maxima[static_cast<std::size_t>(part)] = largest(scores);
  });
  return largest(maxima);
}

// As one digit that every score shares.
double total_mass(std::span<const float> row, float max) {
  const std::int64_t parts = parts_of(row);
  std::vector<double> masses(static_cast<std::size_t>(parts));
  for_parts(row, [&](std::int64_t part, std::span<const float> scores) {
    add_masses(scores, Digit{}, max, &masses[static_cast<std::size_t>(part)]);
  });
  double total = 0;
  for (const double mass : masses) total += mass;
  return total;
}

}  // namespace attnscope::select
#endif  // HWY_ONCE
