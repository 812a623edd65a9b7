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

inline constexpr int kMergeLanes = 4;  // splits that a merging block reads at once

/// One row: thread (x = channel, y) adds the splits y, y + 4, ...; row y = 0 adds the four sums and writes. Returns
/// true on the threads that hold the result. A block is kHeadDim × kMergeLanes threads.
template <int kHeadDim>
__device__ bool merge_row(const Partials& partials, std::int64_t tile, int local, float& value, float& lse) {
  __shared__ float sums[kMergeLanes][kHeadDim];
  float maximum = -INFINITY;
  for (int s = 0; s < partials.splits; ++s) maximum = fmaxf(maximum, partials.state[partials.row(tile, s, local)].x);
  float total = 0.0f;
  float sum = 0.0f;
  for (int s = 0; s < partials.splits; ++s) {
    const std::int64_t row = partials.row(tile, s, local);
    const float2 state = partials.state[row];
    const float weight = rescale_factor(state.x, maximum);
    total += state.y * weight;
    if (s % kMergeLanes == threadIdx.y && weight > 0.0f) sum += partials.o[row * kHeadDim + threadIdx.x] * weight;
  }
  sums[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y != 0) return false;
  for (int y = 1; y < kMergeLanes; ++y) sum += sums[y][threadIdx.x];
  value = total > 0.0f ? sum / total : 0.0f;
  lse = total > 0.0f ? maximum + logf(total) : -INFINITY;
  return true;
}

}  // namespace attnscope::device
