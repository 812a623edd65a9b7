// SPDX-License-Identifier: Apache-2.0
// Partial results of attention over a share of the keys, and their merge:
//   m = max m_s,  l = Σ l_s e^(m_s − m),  O = Σ O_s e^(m_s − m) / l,  with O_s unnormalised and m_s in scaled logits.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/attend/cuda/plan.hpp"

namespace attnscope::device {

/// e^(from − to) for running maxima; 0 when `from` has seen no key.
__device__ __forceinline__ float rescale_factor(float from, float to) {
  return from == -INFINITY ? 0.0f : __expf(from - to);
}

inline constexpr int kMergeThreads = 256;
static_assert(kMergeThreads >= kMostSplits);

/// One row, by a block of kMergeThreads: thread s weighs split s, then each group of kHeadDim / 4 threads adds every
/// eighth (sixteenth) partial O row in 16-byte reads. Threads below kHeadDim get their channel; all get the LSE.
template <int kHeadDim>
__device__ void merge_row(const Partials& partials, std::int64_t tile, int local, float& value, float& lse) {
  constexpr int kWarps = kMergeThreads / 32;
  constexpr int kLanes = kHeadDim / 4;
  constexpr int kGroups = kMergeThreads / kLanes;
  __shared__ float maxima[kWarps];
  __shared__ float totals[kWarps];
  __shared__ float weights[kMostSplits];
  __shared__ float4 sums[kGroups][kLanes];
  const int thread = static_cast<int>(threadIdx.x);

  const float2 state =
      thread < partials.splits ? partials.state[partials.row(tile, thread, local)] : float2{-INFINITY, 0.0f};
  float maximum = state.x;
#pragma unroll
  for (int offset = 16; offset > 0; offset /= 2)
    maximum = fmaxf(maximum, __shfl_xor_sync(0xffffffffu, maximum, offset));
  if (thread % 32 == 0) maxima[thread / 32] = maximum;
  __syncthreads();
#pragma unroll
  for (int w = 0; w < kWarps; ++w) maximum = fmaxf(maximum, maxima[w]);
  weights[thread] = rescale_factor(state.x, maximum);
  float total = state.y * weights[thread];
#pragma unroll
  for (int offset = 16; offset > 0; offset /= 2) total += __shfl_xor_sync(0xffffffffu, total, offset);
  if (thread % 32 == 0) totals[thread / 32] = total;
  __syncthreads();
  total = 0.0f;
#pragma unroll
  for (int w = 0; w < kWarps; ++w) total += totals[w];

  const int lane = thread % kLanes;
  float4 sum{0.0f, 0.0f, 0.0f, 0.0f};
#pragma unroll 4
  for (int s = thread / kLanes; s < partials.splits; s += kGroups) {
    const float weight = weights[s];
    if (weight == 0.0f) continue;  // an empty split wrote no O
    const float4 x = reinterpret_cast<const float4*>(partials.o + partials.row(tile, s, local) * kHeadDim)[lane];
    sum.x = fmaf(weight, x.x, sum.x);
    sum.y = fmaf(weight, x.y, sum.y);
    sum.z = fmaf(weight, x.z, sum.z);
    sum.w = fmaf(weight, x.w, sum.w);
  }
  sums[thread / kLanes][lane] = sum;
  __syncthreads();
  lse = total > 0.0f ? maximum + logf(total) : -INFINITY;
  if (thread >= kHeadDim) return;
  value = 0.0f;
#pragma unroll
  for (int group = 0; group < kGroups; ++group) value += reinterpret_cast<const float*>(sums[group])[thread];
  value = total > 0.0f ? value / total : 0.0f;
}

}  // namespace attnscope::device
