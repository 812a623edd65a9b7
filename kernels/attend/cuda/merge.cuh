// SPDX-License-Identifier: Apache-2.0
// Partial results of attention over a share of the keys, and their merge:
//   m = max m_p,  l = Σ l_p e^(m_p − m),  O = Σ O_p e^(m_p − m) / l,  with O_p unnormalised and m_p in scaled logits.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/attend/cuda/output.cuh"
#include "kernels/attend/cuda/plan.hpp"
#include "kernels/attend/cuda/warp_tile.cuh"

namespace attnscope::device {

/// e^(from − to) for running maxima; 0 when `from` has seen no key.
__device__ __forceinline__ float rescale_factor(float from, float to) {
  return from == -INFINITY ? 0.0f : __expf(from - to);
}

inline constexpr int kMergeThreads = 128;
inline constexpr int kMostParts = 512;  // of one row

/// Merges what the warps of a block have made of one tile of `count` rows, each with its own keys, through `shared`
/// (kBytes of it): emit(local, channel, O, maximum, sum), with O unnormalised and the maximum scaled, by one thread
/// for each row and channel. Every thread of the block calls this with its warp's sums finished.
template <int kWarps, typename T, int kHeadDim>
struct WarpMerge {
  static constexpr int kBytes = kWarps * kTileRows * (kHeadDim * 4 + 8);

  template <typename Emit>
  static __device__ void run(const WarpTile<T, kHeadDim>& tile, int count, float scale, unsigned char* shared,
                             const Emit& emit) {
    auto* const o = reinterpret_cast<float*>(shared);                                  // [kWarps, kTileRows, kHeadDim]
    auto* const state = reinterpret_cast<float2*>(o + kWarps * kTileRows * kHeadDim);  // [kWarps, kTileRows]
    const int first = static_cast<int>(threadIdx.x) / 32 * kTileRows;
    __syncthreads();  // nobody needs what `shared` held
    tile.for_rows(count, [&](int local, int half) {
      if (threadIdx.x % 4 == 0) state[first + local] = {tile.maximum[half] * scale, tile.sum[half]};
      tile.for_channels(half, [&](int channel, float2 pair) {
        *reinterpret_cast<float2*>(o + (first + local) * kHeadDim + channel) = pair;
      });
    });
    __syncthreads();
    for (int e = threadIdx.x; e < count * kHeadDim; e += kWarps * 32) {
      const int local = e / kHeadDim;
      const int channel = e % kHeadDim;
      float maximum = -INFINITY;
#pragma unroll
      for (int w = 0; w < kWarps; ++w) maximum = fmaxf(maximum, state[w * kTileRows + local].x);
      float sum = 0.0f;
      float value = 0.0f;
#pragma unroll
      for (int w = 0; w < kWarps; ++w) {
        const float2 of_warp = state[w * kTileRows + local];
        const float weight = rescale_factor(of_warp.x, maximum);
        sum += of_warp.y * weight;
        value += o[(w * kTileRows + local) * kHeadDim + channel] * weight;
      }
      emit(local, channel, value, maximum, sum);
    }
  }
};

/// combine() over the block, for every thread.
template <typename Combine>
__device__ float reduce_block(float x, float identity, const Combine& combine) {
  constexpr int kWarps = kMergeThreads / 32;
  __shared__ float of_warp[kWarps];
#pragma unroll
  for (int offset = 16; offset > 0; offset /= 2) x = combine(x, __shfl_xor_sync(kWarpMask, x, offset));
  __syncthreads();  // an earlier reduction has been read
  if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = x;
  __syncthreads();
  x = identity;
#pragma unroll
  for (int w = 0; w < kWarps; ++w) x = combine(x, of_warp[w]);
  return x;
}

/// merge_row for a few parts: a thread takes one channel of all of them, so that nobody waits but for memory.
template <typename T, int kHeadDim, int kFew, typename PartRow>
__device__ void merge_few(const Partials& partials, int parts, const PartRow& part_row, const AttentionOutputs& out,
                          std::int64_t row) {
  const int channel = static_cast<int>(threadIdx.x);
  if (channel >= kHeadDim) return;
  float2 state[kFew];
  float o[kFew];
  float maximum = -INFINITY;
#pragma unroll
  for (int p = 0; p < kFew; ++p) {
    state[p] = p < parts ? partials.state[part_row(p)] : float2{-INFINITY, 0.0f};
    o[p] = p < parts ? partials.o[part_row(p) * kHeadDim + channel] : 0.0f;
  }
#pragma unroll
  for (int p = 0; p < kFew; ++p) maximum = fmaxf(maximum, state[p].x);
  float total = 0.0f;
  float value = 0.0f;
#pragma unroll
  for (int p = 0; p < kFew; ++p) {
    const float weight = rescale_factor(state[p].x, maximum);
    total += state[p].y * weight;
    if (weight > 0.0f) value = fmaf(weight, o[p], value);  // a part without keys may have left no O
  }
  store<T>(out, row * kHeadDim + channel, total > 0.0f ? value / total : 0.0f);
  if (channel == 0) out.lse[row] = log_sum(maximum, total);
}

/// Merges the `parts` ≤ kMostParts partials of one row, part_row(p) being their place in `partials`, and writes O and
/// LSE of `row`, by a block of kMergeThreads: each group of kHeadDim / 4 threads adds every fourth (eighth) partial O
/// in 16-byte reads. Parts without keys need no O. Sums are in a fixed order.
template <typename T, int kHeadDim, typename PartRow>
__device__ void merge_row(const Partials& partials, int parts, const PartRow& part_row, const AttentionOutputs& out,
                          std::int64_t row) {
  constexpr int kFew = 8;
  if (parts <= kFew) return merge_few<T, kHeadDim, kFew>(partials, parts, part_row, out, row);
  constexpr int kLanes = kHeadDim / 4;
  constexpr int kGroups = kMergeThreads / kLanes;
  __shared__ float weights[kMostParts];
  __shared__ float4 sums[kGroups][kLanes];
  const int thread = static_cast<int>(threadIdx.x);

  float maximum = -INFINITY;
  for (int p = thread; p < parts; p += kMergeThreads) maximum = fmaxf(maximum, partials.state[part_row(p)].x);
  maximum = reduce_block(maximum, -INFINITY, [](float a, float b) { return fmaxf(a, b); });
  float total = 0.0f;
  for (int p = thread; p < parts; p += kMergeThreads) {
    const float2 state = partials.state[part_row(p)];
    weights[p] = rescale_factor(state.x, maximum);
    total += state.y * weights[p];
  }
  total = reduce_block(total, 0.0f, [](float a, float b) { return a + b; });  // and all weights are there

  const int lane = thread % kLanes;
  float4 sum{0.0f, 0.0f, 0.0f, 0.0f};
#pragma unroll 4
  for (int p = thread / kLanes; p < parts; p += kGroups) {
    const float weight = weights[p];
    const auto* of_part = reinterpret_cast<const float4*>(partials.o + part_row(p) * kHeadDim) + lane;
    const float4 x = weight > 0.0f ? *of_part : float4{0.0f, 0.0f, 0.0f, 0.0f};
    sum.x = fmaf(weight, x.x, sum.x);
    sum.y = fmaf(weight, x.y, sum.y);
    sum.z = fmaf(weight, x.z, sum.z);
    sum.w = fmaf(weight, x.w, sum.w);
  }
  sums[thread / kLanes][lane] = sum;
  __syncthreads();
  if (thread == 0) out.lse[row] = log_sum(maximum, total);
  if (thread >= kHeadDim) return;
  float value = 0.0f;
#pragma unroll
  for (int group = 0; group < kGroups; ++group) value += reinterpret_cast<const float*>(sums[group])[thread];
  store<T>(out, row * kHeadDim + thread, total > 0.0f ? value / total : 0.0f);
}

}  // namespace attnscope::device
