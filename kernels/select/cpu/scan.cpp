// SPDX-License-Identifier: Apache-2.0
#include "kernels/select/cpu/scan.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

// foreach_target.h compiles this file once per instruction set and comes before what it compiles.
// clang-format off
#include "kernels/core/simd_targets.hpp"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/select/cpu/scan.cpp"
#include <hwy/foreach_target.h>

#include "kernels/core/simd-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace attnscope::select {
namespace HWY_NAMESPACE {

using namespace attnscope::HWY_NAMESPACE;  // the vocabulary of this instruction set
using U32 = hn::RebindToUnsigned<F32>;
using VecU = hn::Vec<U32>;

// Flips all bits of negative floats and the sign bit of the others. Adding 0 turns −0 into +0.
HWY_INLINE VecU keys_of(VecF scores) {
  const hn::RebindToSigned<F32> di;
  const U32 du;
  const auto bits = hn::BitCast(di, hn::Add(scores, hn::Zero(F32())));
  const auto sign = hn::BitCast(du, hn::ShiftRight<31>(bits));  // all ones for negative floats
  return hn::Xor(hn::BitCast(du, bits), hn::Or(sign, hn::Set(du, 0x80000000u)));
}

// Calls f(scores, how many of the lanes are part of the row) for the whole row; lanes beyond the row hold `padding`.
template <typename F>
HWY_INLINE void for_vectors(std::span<const float> scores, float padding, F f) {
  const F32 d;
  const auto size = static_cast<std::int64_t>(scores.size());
  std::int64_t i = 0;
  for (; i + kLanes <= size; i += kLanes) f(i, hn::LoadU(d, scores.data() + i), kLanes);
  if (i == size) return;
  HWY_ALIGN float tail[kLanes];
  std::fill(std::copy(scores.begin() + i, scores.end(), tail), tail + kLanes, padding);
  f(i, hn::Load(d, tail), size - i);
}

// Scores that belong to the digit are packed together first; the table is then updated without a branch per score.
template <typename Update>
HWY_INLINE void for_digits(std::span<const float> scores, const Digit& digit, Update update) {
  const U32 du;
  const VecU mask = hn::Set(du, digit.mask), prefix = hn::Set(du, digit.prefix);
  const VecU digit_mask = hn::Set(du, digit.digit_mask);
  for_vectors(scores, 0.0f, [&](std::int64_t, VecF s, std::int64_t lanes) HWY_ATTR {
    const VecU key = keys_of(s);
    const auto chosen = hn::And(hn::Eq(hn::And(key, mask), prefix), hn::FirstN(du, static_cast<std::size_t>(lanes)));
    if (hn::AllFalse(du, chosen)) return;
    update(s, hn::And(hn::ShiftRightSame(key, digit.shift), digit_mask), chosen);
  });
}

void count_digits(std::span<const float> scores, const Digit& digit, std::uint64_t* counts) {
  for_digits(scores, digit, [&](VecF, VecU values, auto chosen) HWY_ATTR {
    HWY_ALIGN std::uint32_t value[kLanes];
    const std::size_t count = hn::CompressStore(values, chosen, U32(), value);
    for (std::size_t i = 0; i < count; ++i) ++counts[value[i]];
  });
}

void add_masses(std::span<const float> scores, const Digit& digit, float max, double* masses) {
  const F32 d;
  const VecF vmax = hn::Set(d, max), log2e = hn::Set(d, std::numbers::log2e_v<float>);
  for_digits(scores, digit, [&](VecF s, VecU values, auto chosen) HWY_ATTR {
    HWY_ALIGN std::uint32_t value[kLanes];
    HWY_ALIGN float mass[kLanes];
    const std::size_t count = hn::CompressStore(values, chosen, U32(), value);
    hn::CompressStore(exp2(hn::Mul(hn::Sub(s, vmax), log2e)), hn::RebindMask(d, chosen), d, mass);
    for (std::size_t i = 0; i < count; ++i) masses[value[i]] += static_cast<double>(mass[i]);
  });
}

float largest(std::span<const float> scores) {
  const F32 d;
  constexpr float kNone = -std::numeric_limits<float>::infinity();
  VecF max = hn::Set(d, kNone);
  for_vectors(scores, kNone, [&](std::int64_t, VecF s, std::int64_t) HWY_ATTR { max = hn::Max(max, s); });
  return hn::GetLane(hn::MaxOfLanes(d, max));
}

Comparison compare(std::span<const float> scores, float value) {
  const F32 d;
  const VecF v = hn::Set(d, value);
  Comparison out;
  for_vectors(scores, 0.0f, [&](std::int64_t, VecF s, std::int64_t lanes) HWY_ATTR {
    const auto valid = hn::FirstN(d, static_cast<std::size_t>(lanes));
    out.above += static_cast<std::int64_t>(hn::CountTrue(d, hn::And(hn::Gt(s, v), valid)));
    out.equal += static_cast<std::int64_t>(hn::CountTrue(d, hn::And(hn::Eq(s, v), valid)));
  });
  return out;
}

void collect(std::span<const float> scores, std::int32_t first_index, float value, std::int64_t ties,
             std::int32_t* indices) {
  const F32 d;
  const hn::RebindToSigned<F32> di;
  const VecF v = hn::Set(d, value);
  for_vectors(scores, 0.0f, [&](std::int64_t i, VecF s, std::int64_t lanes) HWY_ATTR {
    const auto valid = hn::FirstN(d, static_cast<std::size_t>(lanes));
    const auto equal = hn::And(hn::Eq(s, v), valid);
    auto chosen = hn::And(hn::Gt(s, v), valid);
    if (ties > 0 && !hn::AllFalse(d, equal)) {
      // The lowest `ties` of the equal lanes: their ranks are the running count of set lanes.
      HWY_ALIGN std::int32_t rank[kLanes];
      std::int32_t seen = 0;
      for (std::int64_t lane = 0; lane < kLanes; ++lane)
        rank[lane] = lane < lanes && scores[static_cast<std::size_t>(i + lane)] == value ? seen++ : INT32_MAX;
      const auto limit = static_cast<std::int32_t>(std::min<std::int64_t>(ties, kLanes));
      chosen = hn::Or(chosen, hn::RebindMask(d, hn::Lt(hn::Load(di, rank), hn::Set(di, limit))));
      ties -= std::min<std::int64_t>(ties, seen);
    }
    const auto index = hn::Iota(di, static_cast<std::int32_t>(first_index + i));
    indices += hn::CompressBlendedStore(index, hn::RebindMask(di, chosen), di, indices);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace attnscope::select
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace attnscope::select {

HWY_EXPORT(count_digits);
HWY_EXPORT(add_masses);
HWY_EXPORT(largest);
HWY_EXPORT(compare);
HWY_EXPORT(collect);

void count_digits(std::span<const float> scores, const Digit& digit, std::uint64_t* counts) {
  HWY_DYNAMIC_DISPATCH(count_digits)(scores, digit, counts);
}

void add_masses(std::span<const float> scores, const Digit& digit, float max, double* masses) {
  HWY_DYNAMIC_DISPATCH(add_masses)(scores, digit, max, masses);
}

float largest(std::span<const float> scores) { return HWY_DYNAMIC_DISPATCH(largest)(scores); }

Comparison compare(std::span<const float> scores, float value) { return HWY_DYNAMIC_DISPATCH(compare)(scores, value); }

void collect(std::span<const float> scores, std::int32_t first_index, float value, std::int64_t ties,
             std::int32_t* indices) {
  HWY_DYNAMIC_DISPATCH(collect)(scores, first_index, value, ties, indices);
}

}  // namespace attnscope::select
#endif  // HWY_ONCE
