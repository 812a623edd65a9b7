// SPDX-License-Identifier: Apache-2.0
// One step of online softmax on one row of scores, compiled once per instruction set (Highway's per-target guard).
#if defined(ATTNSCOPE_KERNELS_ATTEND_CPU_SOFTMAX_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ATTNSCOPE_KERNELS_ATTEND_CPU_SOFTMAX_INL_H_
#undef ATTNSCOPE_KERNELS_ATTEND_CPU_SOFTMAX_INL_H_
#else
#define ATTNSCOPE_KERNELS_ATTEND_CPU_SOFTMAX_INL_H_
#endif

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/core/selection.hpp"
#include "kernels/core/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace attnscope::attend {
namespace HWY_NAMESPACE {

using namespace attnscope::HWY_NAMESPACE;  // the vocabulary of this instruction set

/// Turns the scores s[begin, end) of one row, of which columns [valid.begin, valid.end) are attended, into the weights
/// 2^(s − max); updates the row's max and sum and returns what its earlier weights must be multiplied by.
/// `begin`, `end` are multiples of kPanel and s is aligned to a vector.
HWY_INLINE float soften(float* HWY_RESTRICT s, std::int64_t begin, std::int64_t end, KeyRange valid, float& max,
                        float& sum) {
  const F32 d;
  constexpr float kMasked = -std::numeric_limits<float>::infinity();
  for (std::int64_t c = begin; c < std::min(valid.begin, end); ++c) s[c] = kMasked;
  for (std::int64_t c = std::max(valid.end, begin); c < end; ++c) s[c] = kMasked;

  VecF max0 = hn::Set(d, max), max1 = max0;
  for (std::int64_t c = begin; c < end; c += kPanel) {
    max0 = hn::Max(max0, hn::Load(d, s + c));
    max1 = hn::Max(max1, hn::Load(d, s + c + kLanes));
  }
  const float new_max = hn::GetLane(hn::MaxOfLanes(d, hn::Max(max0, max1)));
  const float base = new_max == kMasked ? 0.0f : new_max;  // a row without keys so far: every weight is 2^−∞ = 0
  const VecF vbase = hn::Set(d, base);
  VecF sum0 = hn::Zero(d), sum1 = sum0;
  for (std::int64_t c = begin; c < end; c += kPanel) {
    const VecF w0 = exp2(hn::Sub(hn::Load(d, s + c), vbase));
    const VecF w1 = exp2(hn::Sub(hn::Load(d, s + c + kLanes), vbase));
    hn::Store(w0, d, s + c);
    hn::Store(w1, d, s + c + kLanes);
    sum0 = hn::Add(sum0, w0);
    sum1 = hn::Add(sum1, w1);
  }
  const float rescale = std::exp2(max - base);
  sum = sum * rescale + hn::GetLane(hn::SumOfLanes(d, hn::Add(sum0, sum1)));
  max = new_max;
  return rescale;
}

}  // namespace HWY_NAMESPACE
}  // namespace attnscope::attend
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
