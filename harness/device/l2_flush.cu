// SPDX-License-Identifier: Apache-2.0
#include <cuda_runtime_api.h>

#include "harness/device/cuda_check.hpp"
#include "harness/device/device_info.hpp"
#include "harness/device/l2_flush.hpp"

namespace attnscope {
namespace {

constexpr int kThreads = 256;
constexpr int kBlocks = 1024;

std::size_t l2_bytes() {
  int bytes = 0;
  cuda_check(cudaDeviceGetAttribute(&bytes, cudaDevAttrL2CacheSize, current_gpu()), "cudaDeviceGetAttribute");
  return static_cast<std::size_t>(bytes);
}

// The grid reads `words` 16-byte words once, coalesced. The store never happens (the block holds zeros): it keeps the
// loads alive.
__global__ void __launch_bounds__(kThreads) read_back_kernel(uint4* block, std::int64_t words) {
  const std::int64_t stride = static_cast<std::int64_t>(kThreads) * gridDim.x;
  std::uint32_t seen = 0;
  for (std::int64_t i = blockIdx.x * static_cast<std::int64_t>(kThreads) + threadIdx.x; i < words; i += stride)
    seen |= __ldcg(block + i).x;
  if (seen != 0) block->x = seen;
}

}  // namespace

L2Flush::L2Flush() : block_(Space::device, 2 * l2_bytes()) {}

void L2Flush::operator()(void* stream) {
  auto* handle = static_cast<cudaStream_t>(stream);
  cuda_check(cudaCtxResetPersistingL2Cache(), "cudaCtxResetPersistingL2Cache");
  cuda_check(cudaMemsetAsync(block_.data(), 0, block_.bytes(), handle), "cudaMemsetAsync");
  read_back_kernel<<<kBlocks, kThreads, 0, handle>>>(block_.as<uint4>(),
                                                     static_cast<std::int64_t>(block_.bytes() / sizeof(uint4)));
  cuda_check(cudaGetLastError(), "read_back_kernel");
}

}  // namespace attnscope
