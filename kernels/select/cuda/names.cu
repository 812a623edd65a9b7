// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "harness/device/cuda_check.hpp"
#include "kernels/select/engines.hpp"

namespace attnscope::select::cuda {
namespace {

constexpr int kThreads = 256;
constexpr std::int64_t kMostBlocks = 64;  // of one row

// Block (x, r) takes every gridDim.x-th run of 256 entries of list r; lists are read and written once, candidates
// read once, at ascending places.
__global__ __launch_bounds__(kThreads) void positions_to_keys_kernel(const __grid_constant__ CandidateLists candidates,
                                                                     const __grid_constant__ Lists lists,
                                                                     std::int64_t heads) {
  const std::int64_t row = blockIdx.y;
  const std::int64_t share = heads / candidates.heads();  // rows of one candidate list
  const CandidateKeys keys = candidates.of(row / heads, row % heads / share);
  std::int32_t* const indices = lists.indices + row * lists.capacity;
  const std::int64_t count = lists.count[row];
  for (std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x; i < count;
       i += std::int64_t{gridDim.x} * kThreads)
    indices[i] = static_cast<std::int32_t>(keys.key(indices[i]));
}

}  // namespace

void positions_to_keys(const CandidateLists& candidates, const Lists& lists, std::int64_t rows, std::int64_t heads,
                       void* stream) {
  const std::int64_t blocks = std::clamp<std::int64_t>(lists.capacity / (8 * kThreads), 1, kMostBlocks);
  const dim3 grid(static_cast<unsigned>(blocks), static_cast<unsigned>(rows));
  positions_to_keys_kernel<<<grid, kThreads, 0, static_cast<cudaStream_t>(stream)>>>(candidates, lists, heads);
  cuda_check(cudaGetLastError(), "select::cuda positions_to_keys");
}

}  // namespace attnscope::select::cuda
