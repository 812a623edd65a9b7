// SPDX-License-Identifier: Apache-2.0
// Partial results of attention over a share of the keys, and their merge:
//   m = max m_p,  l = Σ l_p e^(m_p − m),  O = Σ O_p e^(m_p − m) / l,  with O_p unnormalised and m_p in scaled logits.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/attend/cuda/output.cuh"
#include "kernels/attend/cuda/plan.hpp"

namespace attnscope::device {

/// e^(from − to) for running maxima; 0 when `from` has seen no key.
__device__ __forceinline__ float rescale_factor(float from, float to) {
  return from == -INFINITY ? 0.0f : __expf(from - to);
}

inline constexpr int kMergeThreads = 256;

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

/// Merges the `parts` partials of one row, part_row(p) being their place in `partials`, and writes O and LSE of `row`,
/// by a block of kMergeThreads: each group of kHeadDim / 4 threads adds every eighth (sixteenth) partial O in 16-byte
/// reads. Sums are in a fixed order.
template <typename T, int kHeadDim, typename PartRow>
__device__ void merge_row(const Partials& partials, int parts, const PartRow& part_row, const AttentionOutputs& out,
                          std::int64_t row) {
  constexpr int kLanes = kHeadDim / 4;
  constexpr int kGroups = kMergeThreads / kLanes;
  __shared__ float4 sums[kGroups][kLanes];
  const int thread = static_cast<int>(threadIdx.x);

  float maximum = -INFINITY;
  for (int p = thread; p < parts; p += kMergeThreads) maximum = fmaxf(maximum, partials.state[part_row(p)].x);
  maximum = reduce_block(maximum, -INFINITY, [](float a, float b) { return fmaxf(a, b); });
  float total = 0.0f;
  for (int p = thread; p < parts; p += kMergeThreads) {
    const float2 state = partials.state[part_row(p)];
    total += state.y * rescale_factor(state.x, maximum);
  }
  total = reduce_block(total, 0.0f, [](float a, float b) { return a + b; });

  const int lane = thread % kLanes;
  float4 sum{0.0f, 0.0f, 0.0f, 0.0f};
#pragma unroll 4
  for (int p = thread / kLanes; p < parts; p += kGroups) {
    const float weight = rescale_factor(partials.state[part_row(p)].x, maximum);
    if (weight == 0.0f) continue;  // an empty part wrote no O
    const float4 x = reinterpret_cast<const float4*>(partials.o + part_row(p) * kHeadDim)[lane];
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
