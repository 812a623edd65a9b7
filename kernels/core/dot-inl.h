// SPDX-License-Identifier: Apache-2.0
// Dot products of a few rows with four others, compiled once per instruction set (Highway's per-target include guard).
#if defined(ATTNSCOPE_KERNELS_CORE_DOT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ATTNSCOPE_KERNELS_CORE_DOT_INL_H_
#undef ATTNSCOPE_KERNELS_CORE_DOT_INL_H_
#else
#define ATTNSCOPE_KERNELS_CORE_DOT_INL_H_
#endif

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "kernels/core/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace attnscope {
namespace HWY_NAMESPACE {

// Rows worked on at once, so that rows × 4 accumulators and four vectors of the other operand fit the registers.
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_SCALAR
constexpr std::int64_t kRowGroup = 2;
#else
constexpr std::int64_t kRowGroup = 4;
#endif

/// Calls f(first row, integral_constant<rows>) for groups of kRowGroup rows, then of 2 and 1 for what is left.
template <typename F>
HWY_INLINE void for_row_groups(std::int64_t rows, F f) {
  std::int64_t r = 0;
  for (; r + kRowGroup <= rows; r += kRowGroup) f(r, std::integral_constant<int, kRowGroup>());
  for (; r + 2 <= rows; r += 2) f(r, std::integral_constant<int, 2>());
  if (r < rows) f(r, std::integral_constant<int, 1>());
}

#if HWY_TARGET != HWY_SCALAR
/// Adds up the 128-bit blocks of v.
template <typename D>
HWY_INLINE auto fold_blocks(D, hn::Vec<D> v) {
  if constexpr (hn::MaxLanes(D()) == 4) {
    return v;
  } else {
    const hn::Half<D> half;
    return fold_blocks(half, hn::Add(hn::LowerHalf(half, v), hn::UpperHalf(half, v)));
  }
}
#endif

/// out[j] = Σ of the lanes of v[j]. Transposing while adding: a third of the shuffles of four separate reductions.
HWY_INLINE void store_sums(const VecF (&v)[4], float* HWY_RESTRICT out) {
  const F32 d;
#if HWY_TARGET == HWY_SCALAR
  for (int j = 0; j < 4; ++j) hn::StoreU(v[j], d, out + j);
#else
  const hn::RepartitionToWide<F32> d64;
  const auto pair = [d](VecF a, VecF b) { return hn::Add(hn::InterleaveLower(d, a, b), hn::InterleaveUpper(d, a, b)); };
  const auto v01 = hn::BitCast(d64, pair(v[0], v[1])), v23 = hn::BitCast(d64, pair(v[2], v[3]));
  const VecF blocks =
      hn::Add(hn::BitCast(d, hn::InterleaveLower(d64, v01, v23)), hn::BitCast(d, hn::InterleaveUpper(d64, v01, v23)));
  hn::StoreU(fold_blocks(d, blocks), hn::FixedTag<float, 4>(), out);
#endif
}

/// out[r · stride + j] = a[r] · b[j] for kRows rows of `a`, `dim` apart and in pair order, and the four rows b[0..4).
template <int kRows, typename T>
HWY_INLINE void dot4(const float* HWY_RESTRICT a, const T* const (&b)[4], std::int64_t dim, float* HWY_RESTRICT out,
                     std::int64_t stride) {
  const F32 d;
  VecF acc[kRows][4];
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) acc[r][j] = hn::Zero(d);
  for (std::int64_t c = 0; c < dim; c += 2 * kLanes) {
    const VecPair pairs[4] = {widen_pair(b[0] + c), widen_pair(b[1] + c), widen_pair(b[2] + c), widen_pair(b[3] + c)};
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      const VecF x0 = hn::LoadU(d, a + r * dim + c), x1 = hn::LoadU(d, a + r * dim + c + kLanes);
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j)
        acc[r][j] = hn::MulAdd(x1, pairs[j].second, hn::MulAdd(x0, pairs[j].first, acc[r][j]));
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) store_sums(acc[r], out + r * stride);
}

/// out[r · stride + n] = rows[r] · items[n] for `count` items; both are dense, `dim` wide, rows in pair order.
template <typename T>
void dot_all(const float* HWY_RESTRICT rows, std::int64_t row_count, const T* HWY_RESTRICT items, std::int64_t count,
             std::int64_t dim, float* HWY_RESTRICT out, std::int64_t stride) {
  for (std::int64_t n = 0; n < count; n += 4) {
    const std::int64_t left = std::min<std::int64_t>(4, count - n);
    const T* four[4];
    for (std::int64_t j = 0; j < 4; ++j) four[j] = items + (n + std::min(j, left - 1)) * dim;
    for_row_groups(row_count, [&](std::int64_t r, auto group) HWY_ATTR {
      if (left == 4) return dot4<group()>(rows + r * dim, four, dim, out + r * stride + n, stride);
      float sums[group()][4];
      dot4<group()>(rows + r * dim, four, dim, sums[0], 4);
      for (int i = 0; i < group(); ++i) std::copy_n(sums[i], left, out + (r + i) * stride + n);
    });
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace attnscope
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
