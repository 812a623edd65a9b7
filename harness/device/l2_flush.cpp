// SPDX-License-Identifier: Apache-2.0
#include "harness/device/l2_flush.hpp"

#include <cuda_runtime_api.h>

#include "harness/device/cuda_check.hpp"
#include "harness/device/device_info.hpp"

namespace attnscope {
namespace {

std::size_t l2_bytes() {
  int bytes = 0;
  cuda_check(cudaDeviceGetAttribute(&bytes, cudaDevAttrL2CacheSize, current_gpu()), "cudaDeviceGetAttribute");
  return static_cast<std::size_t>(bytes);
}

}  // namespace

L2Flush::L2Flush() : block_(Space::device, 2 * l2_bytes()) {}

void L2Flush::operator()(void* stream) {
  cuda_check(cudaCtxResetPersistingL2Cache(), "cudaCtxResetPersistingL2Cache");
  cuda_check(cudaMemsetAsync(block_.data(), 0, block_.bytes(), static_cast<cudaStream_t>(stream)), "cudaMemsetAsync");
}

}  // namespace attnscope
