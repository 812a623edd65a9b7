// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace attnscope::select::cuda {

/// The sum of `value` over the threads before this one; `total` becomes that over all. Blocks of whole warps, at most
/// 1024 threads, all of which must call. `warp_sums` has 32 elements of shared memory, free again after the call.
__device__ inline int exclusive_scan(int value, int* warp_sums, int& total) {
  constexpr unsigned kAll = 0xffffffffu;
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
  const int warps = static_cast<int>(blockDim.x) / 32;
  int sum = value;
#pragma unroll
  for (int step = 1; step < 32; step *= 2) {
    const int below = __shfl_up_sync(kAll, sum, step);
    if (lane >= step) sum += below;
  }
  if (lane == 31) warp_sums[warp] = sum;
  __syncthreads();
  int before = 0;
  total = 0;
  for (int w = 0; w < warps; ++w) {
    if (w < warp) before += warp_sums[w];
    total += warp_sums[w];
  }
  __syncthreads();
  return before + sum - value;
}

}  // namespace attnscope::select::cuda
