// SPDX-License-Identifier: Apache-2.0
#include "kernels/attend/cpu/gather.hpp"

#include <algorithm>
#include <limits>
#include <numbers>
#include <type_traits>

#include "kernels/attend/cpu/finish.hpp"

// foreach_target.h compiles this file once per instruction set and comes before what it compiles.
// clang-format off
#include "kernels/core/simd_targets.hpp"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/attend/cpu/gather.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>

#include "kernels/attend/cpu/softmax-inl.h"
#include "kernels/core/dot-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace attnscope::attend {
namespace HWY_NAMESPACE {

void load_gather_rows(const AttentionInputs& in, std::int64_t first_row, std::int64_t stride, const GatherRows& state) {
  const std::int64_t d = in.shape.head_dim;
  with_element(in.shape.dtype, [&](auto type) HWY_ATTR {
    const auto* q = static_cast<decltype(type)>(in.q);
    for (std::int64_t r = 0; r < state.rows; ++r)
      widen_row(q + (first_row + r * stride) * d, d, query_factor(in), state.q + r * d);
    to_pair_order<std::remove_cvref_t<decltype(*q)>>(state.q, state.rows * d);
  });
  std::fill_n(state.o, state.rows * d, 0.0f);
  std::fill_n(state.max, state.rows, -std::numeric_limits<float>::infinity());
  std::fill_n(state.sum, state.rows, 0.0f);
}

void restore_order(Dtype dtype, std::int64_t head_dim, const GatherRows& state) {
  with_element(dtype, [&](auto type) HWY_ATTR {
    from_pair_order<std::remove_cvref_t<decltype(*type)>>(state.o, state.rows * head_dim);
  });
}

template <std::int64_t kElements, typename T>
HWY_INLINE void prefetch(const T* row) {
  for (std::size_t byte = 0; byte < kElements * sizeof(T); byte += 64)
    hwy::Prefetch(reinterpret_cast<const char*>(row) + byte);
}

// Scores of every row with the keys. Prefetches the same rows of v, which are wanted next.
template <std::int64_t kDim, typename T>
void score(const T* HWY_RESTRICT k, const T* HWY_RESTRICT v, std::span<const std::int64_t> keys,
           const GatherRows& state) {
  for (std::size_t n = 0; n < keys.size(); n += 4) {
    const T* four[4];
    for (std::size_t j = 0; j < 4; ++j) {  // the last group repeats its last key; those scores are masked
      const std::int64_t key = keys[std::min(n + j, keys.size() - 1)];
      four[j] = k + key * kDim;
      prefetch<kDim>(v + key * kDim);
    }
    for_row_groups(state.rows, [&](std::int64_t r, auto rows) HWY_ATTR {
      dot4<rows()>(state.q + r * kDim, four, kDim, state.weights + r * kGatherKeys + n, kGatherKeys);
    });
  }
}

// o[r] = o[r] · rescale[r] + Σ_n weights[r][n] v[keys[n]] for kRows rows, kVectors vectors of channels at a time.
// Meanwhile rows `next` of k are prefetched, one per key, so that the loads spread over the arithmetic.
template <int kRows, std::int64_t kDim, typename T>
HWY_INLINE void accumulate(const T* HWY_RESTRICT v, std::span<const std::int64_t> keys,
                           const float* HWY_RESTRICT weights, const float* HWY_RESTRICT rescale, const T* k,
                           std::span<const std::int64_t> next, float* HWY_RESTRICT o) {
  const F32 d;
  constexpr std::int64_t kVectors = std::min<std::int64_t>(4, kDim / kLanes);
  for (std::int64_t c = 0; c < kDim; c += kVectors * kLanes) {
    VecF acc[kRows][kVectors];
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 4
      for (int i = 0; i < kVectors; ++i) acc[r][i] = hn::Zero(d);
    for (std::size_t n = 0; n < keys.size(); ++n) {
      if (n < next.size()) prefetch<kVectors * kLanes>(k + next[n] * kDim + c);
      const T* row = v + keys[n] * kDim + c;
      VecF value[kVectors];
#pragma GCC unroll 4
      for (int i = 0; i < kVectors; i += 2) {
        const VecPair pair = widen_pair(row + i * kLanes);
        value[i] = pair.first;
        value[i + 1] = pair.second;
      }
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) {
        const VecF weight = hn::Set(d, weights[r * kGatherKeys + static_cast<std::int64_t>(n)]);
#pragma GCC unroll 4
        for (int i = 0; i < kVectors; ++i) acc[r][i] = hn::MulAdd(weight, value[i], acc[r][i]);
      }
    }
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 4
      for (int i = 0; i < kVectors; ++i) {
        float* at = o + r * kDim + c + i * kLanes;
        hn::Store(hn::MulAdd(hn::Load(d, at), hn::Set(d, rescale[r]), acc[r][i]), d, at);
      }
  }
}

template <std::int64_t kDim, typename T>
void attend_block(const T* k, const T* v, const GatherKeys& keys, std::span<const std::int64_t> next,
                  const GatherRows& state) {
  score<kDim>(k, v, keys.rows, state);
  for (std::size_t n = 0; n < keys.log_weight.size(); ++n)
    for (std::int64_t r = 0; r < state.rows; ++r)
      state.weights[r * kGatherKeys + static_cast<std::int64_t>(n)] +=
          keys.log_weight[n] * std::numbers::log2e_v<float>;
  const auto count = static_cast<std::int64_t>(keys.rows.size());
  const std::int64_t end = (count + kPanel - 1) / kPanel * kPanel;
  for_row_groups(state.rows, [&](std::int64_t first, auto rows) HWY_ATTR {
    float rescale[rows()];
    for (int r = 0; r < rows(); ++r)
      rescale[r] = soften(state.weights + (first + r) * kGatherKeys, 0, end, {0, count}, state.max[first + r],
                          state.sum[first + r]);
    accumulate<rows(), kDim>(v, keys.rows, state.weights + first * kGatherKeys, rescale, k,
                             first == 0 ? next : std::span<const std::int64_t>(), state.o + first * kDim);
  });
}

void attend_gathered(const AttentionInputs& in, const GatherKeys& keys, std::span<const std::int64_t> next,
                     const GatherRows& state) {
  with_element(in.shape.dtype, [&](auto type) HWY_ATTR {
    const auto* k = static_cast<decltype(type)>(in.k);
    const auto* v = static_cast<decltype(type)>(in.v);
    switch (in.shape.head_dim) {
      case 32:
        return attend_block<32>(k, v, keys, next, state);
      case 64:
        return attend_block<64>(k, v, keys, next, state);
      default:
        return attend_block<128>(k, v, keys, next, state);
    }
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace attnscope::attend
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace attnscope::attend {

HWY_EXPORT(load_gather_rows);
HWY_EXPORT(attend_gathered);
HWY_EXPORT(restore_order);

void load_rows(const AttentionInputs& in, std::int64_t first_row, std::int64_t stride, const GatherRows& state) {
  HWY_DYNAMIC_DISPATCH(load_gather_rows)(in, first_row, stride, state);
}

void attend_keys(const AttentionInputs& in, const GatherKeys& keys, std::span<const std::int64_t> next,
                 const GatherRows& state) {
  HWY_DYNAMIC_DISPATCH(attend_gathered)(in, keys, next, state);
}

void restore_order(Dtype dtype, std::int64_t head_dim, const GatherRows& state) {
  HWY_DYNAMIC_DISPATCH(restore_order)(dtype, head_dim, state);
}

}  // namespace attnscope::attend
#endif  // HWY_ONCE
