// SPDX-License-Identifier: Apache-2.0
#include <cuda_runtime.h>

#include "harness/device/cuda_check.hpp"
#include "harness/measure/spin.hpp"

namespace attnscope {
namespace {

__device__ unsigned long long global_time_ns() {
  unsigned long long time;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(time));
  return time;
}

__global__ void spin_kernel(unsigned long long nanoseconds) {
  const unsigned long long start = global_time_ns();
  while (global_time_ns() - start < nanoseconds) {
  }
}

}  // namespace

void enqueue_spin(double nanoseconds, void* stream) {
  spin_kernel<<<1, 1, 0, static_cast<cudaStream_t>(stream)>>>(static_cast<unsigned long long>(nanoseconds));
  cuda_check(cudaGetLastError(), "spin_kernel");
}

}  // namespace attnscope
