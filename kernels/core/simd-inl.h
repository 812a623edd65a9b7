// SPDX-License-Identifier: Apache-2.0
// SIMD vocabulary of the CPU engines, compiled once per instruction set (Highway's per-target include guard).
// Include it after hwy/foreach_target.h; everything lives in attnscope::HWY_NAMESPACE.
#if defined(ATTNSCOPE_KERNELS_CORE_SIMD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ATTNSCOPE_KERNELS_CORE_SIMD_INL_H_
#undef ATTNSCOPE_KERNELS_CORE_SIMD_INL_H_
#else
#define ATTNSCOPE_KERNELS_CORE_SIMD_INL_H_
#endif

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "harness/base/shape.hpp"

HWY_BEFORE_NAMESPACE();
namespace attnscope {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using F32 = hn::ScalableTag<float>;
using VecF = hn::Vec<F32>;
constexpr std::int64_t kLanes = hn::MaxLanes(F32());

/// Calls f with a null pointer of the element type of `dtype`: float, hwy::float16_t or hwy::bfloat16_t.
template <typename F>
HWY_INLINE void with_element(Dtype dtype, F f) {
  switch (dtype) {
    case Dtype::f32:
      return f(static_cast<const float*>(nullptr));
    case Dtype::f16:
      return f(static_cast<const hwy::float16_t*>(nullptr));
    case Dtype::bf16:
      return f(static_cast<const hwy::bfloat16_t*>(nullptr));
  }
}

/// kLanes elements from p, as float.
HWY_INLINE VecF widen(const float* HWY_RESTRICT p) { return hn::LoadU(F32(), p); }
template <typename Half>
HWY_INLINE VecF widen(const Half* HWY_RESTRICT p) {
  return hn::PromoteTo(F32(), hn::LoadU(hn::Rebind<Half, F32>(), p));
}

/// Two vectors made of p[0 .. 2 · kLanes). bf16 falls apart into its even and its odd elements, at one operation each
/// and without a shuffle; other types stay in order. What meets such vectors must be put into the same order.
struct VecPair {
  VecF first, second;
};
template <typename T>
HWY_INLINE VecPair widen_pair(const T* HWY_RESTRICT p) {
  return {widen(p), widen(p + kLanes)};
}
#if HWY_TARGET != HWY_SCALAR
HWY_INLINE VecPair widen_pair(const hwy::bfloat16_t* HWY_RESTRICT p) {
  const F32 d;
  const hn::RebindToUnsigned<F32> du;
  const auto bits = hn::BitCast(du, hn::LoadU(hn::Repartition<hwy::bfloat16_t, F32>(), p));
  return {hn::BitCast(d, hn::ShiftLeft<16>(bits)), hn::BitCast(d, hn::And(bits, hn::Set(du, 0xffff0000u)))};
}
#endif
template <typename T>
constexpr bool kPairsSplit = HWY_TARGET != HWY_SCALAR&& std::is_same_v<T, hwy::bfloat16_t>;

/// Puts x[0 .. n), n a multiple of 2 · kLanes, into the order in which widen_pair gives elements of type T; and back.
template <typename T>
HWY_INLINE void to_pair_order(float* x, std::int64_t n) {
  if constexpr (kPairsSplit<T>)
    for (float block[2 * kLanes]; n > 0; n -= 2 * kLanes, x += 2 * kLanes) {
      std::copy_n(x, 2 * kLanes, block);
      for (std::int64_t i = 0; i < 2 * kLanes; ++i) x[i / 2 + i % 2 * kLanes] = block[i];
    }
}
template <typename T>
HWY_INLINE void from_pair_order(float* x, std::int64_t n) {
  if constexpr (kPairsSplit<T>)
    for (float block[2 * kLanes]; n > 0; n -= 2 * kLanes, x += 2 * kLanes) {
      std::copy_n(x, 2 * kLanes, block);
      for (std::int64_t i = 0; i < 2 * kLanes; ++i) x[i] = block[i / 2 + i % 2 * kLanes];
    }
}

/// out[i] = factor · in[i] for `n` elements, a multiple of kLanes.
template <typename T>
HWY_INLINE void widen_row(const T* HWY_RESTRICT in, std::int64_t n, float factor, float* HWY_RESTRICT out) {
  const VecF scale = hn::Set(F32(), factor);
  for (std::int64_t i = 0; i < n; i += kLanes) hn::StoreU(hn::Mul(widen(in + i), scale), F32(), out + i);
}

/// 2^x for x ≤ 0, relative error below 2^-22; 0 below 2^-126 (so also for −infinity); NaN stays NaN.
/// x = n + f with |f| ≤ 1/2; 2^f by a degree-5 minimax polynomial of the relative error, 2^n added to the exponent.
/// Adding 1.5 · 2^23 rounds to an integer and leaves n in the lowest bits, which the shift moves onto the exponent.
HWY_INLINE VecF exp2(VecF x) {
  const F32 d;
  const hn::RebindToSigned<F32> di;
  const VecF magic = hn::Set(d, 0x1.8p23f);
  const VecF shifted = hn::Add(x, magic);
  const VecF f = hn::Sub(x, hn::Sub(shifted, magic));
  VecF y = hn::MulAdd(f, hn::Set(d, 0x1.5c08e6p-10f), hn::Set(d, 0x1.3d0c52p-7f));
  y = hn::MulAdd(f, y, hn::Set(d, 0x1.c6b6e4p-5f));
  y = hn::MulAdd(f, y, hn::Set(d, 0x1.ebf918p-3f));
  y = hn::MulAdd(f, y, hn::Set(d, 0x1.62e428p-1f));
  y = hn::MulAdd(f, y, hn::Set(d, 1.0f));
  y = hn::BitCast(d, hn::Add(hn::BitCast(di, y), hn::ShiftLeft<23>(hn::BitCast(di, shifted))));
  return hn::IfThenZeroElse(hn::Lt(x, hn::Set(d, -126.0f)), y);
}

// The register tile of the matrix products: kStripRows rows by one panel of kPanel columns (two vectors). Its
// accumulators, the panel's two vectors and one broadcast fill 16 (AVX2) or 32 (AVX-512, NEON) registers.
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_SCALAR
constexpr std::int64_t kStripRows = 6;
#else
constexpr std::int64_t kStripRows = 12;
#endif
constexpr std::int64_t kPanel = 2 * kLanes;

struct Strip {
  VecF acc[kStripRows][2];
};

/// acc[r] = Σ_{i < n} a[r · kStride + i] · b[i · kPanel .. (i + 1) · kPanel).
template <std::int64_t kStride>
HWY_INLINE void multiply(const float* HWY_RESTRICT a, const float* HWY_RESTRICT b, std::int64_t n, Strip& out) {
  const F32 d;
  constexpr std::int64_t kAhead = 16;  // panels stream from L2; without this prefetch the products run 5 % slower
  VecF acc[kStripRows][2];
#pragma GCC unroll 12
  for (int r = 0; r < kStripRows; ++r) acc[r][0] = acc[r][1] = hn::Zero(d);
  for (std::int64_t i = 0; i < n; ++i) {
    hwy::Prefetch(b + (i + kAhead) * kPanel);
    hwy::Prefetch(b + (i + kAhead) * kPanel + kLanes);
    const VecF b0 = hn::Load(d, b + i * kPanel);
    const VecF b1 = hn::Load(d, b + i * kPanel + kLanes);
#pragma GCC unroll 12
    for (int r = 0; r < kStripRows; ++r) {
      const VecF x = hn::Set(d, a[r * kStride + i]);
      acc[r][0] = hn::MulAdd(x, b0, acc[r][0]);
      acc[r][1] = hn::MulAdd(x, b1, acc[r][1]);
    }
  }
#pragma GCC unroll 12
  for (int r = 0; r < kStripRows; ++r) {
    out.acc[r][0] = acc[r][0];
    out.acc[r][1] = acc[r][1];
  }
}

/// Copies rows 0 .. count of a [count, dim] matrix as Kᵀ panels: out[panel][channel][kPanel]. Rows up to the next
/// multiple of kPanel are zero. `out` is aligned to a vector.
template <typename T>
void pack_transposed(const T* HWY_RESTRICT rows, std::int64_t count, std::int64_t dim, float* HWY_RESTRICT out) {
  HWY_ALIGN float wide[kPanel * 128];
  for (std::int64_t first = 0; first < count; first += kPanel, out += dim * kPanel) {
    for (std::int64_t r = 0; r < kPanel; ++r) {
      if (first + r < count)
        widen_row(rows + (first + r) * dim, dim, 1.0f, wide + r * dim);
      else
        for (std::int64_t c = 0; c < dim; ++c) wide[r * dim + c] = 0.0f;
    }
    for (std::int64_t c = 0; c < dim; ++c)
      for (std::int64_t r = 0; r < kPanel; ++r) out[c * kPanel + r] = wide[r * dim + c];
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace attnscope
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
