// SPDX-License-Identifier: Apache-2.0
#include <cuda_fp16.h>

#include <string>
#include <type_traits>

#include "harness/base/error.hpp"
#include "harness/device/cuda_check.hpp"
#include "harness/device/device_info.hpp"
#include "harness/measure/ceilings/known_work.hpp"

namespace attnscope {
namespace {

constexpr int kThreads = 256;
constexpr int kWarpColumns = 8;  // 8-wide mma tiles of C that one warp holds

cudaStream_t as_stream(void* stream) { return static_cast<cudaStream_t>(stream); }

/// Blocks in a grid that puts `blocks_per_sm` on every SM.
int grid_of(int blocks_per_sm) {
  int sms = 0;
  cuda_check(cudaDeviceGetAttribute(&sms, cudaDevAttrMultiProcessorCount, current_gpu()), "cudaDeviceGetAttribute");
  return sms * blocks_per_sm;
}

void check_launch(const char* kernel) { cuda_check(cudaGetLastError(), kernel); }

__global__ void fill_noise_kernel(std::uint16_t* data, std::int64_t count) {
  const std::int64_t stride = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = blockIdx.x * static_cast<std::int64_t>(blockDim.x) + threadIdx.x; i < count; i += stride) {
    // Two rounds of a multiply-xorshift hash; its upper bits become a float in [1, 2), scaled to [-1, 1).
    std::uint32_t hash = static_cast<std::uint32_t>(i) * 0x9E3779B1u;
    hash = (hash ^ (hash >> 15)) * 0x85EBCA77u;
    hash = (hash ^ (hash >> 13)) * 0xC2B2AE3Du;
    const float value = 2.0f * __uint_as_float(0x3f800000u | (hash >> 9)) - 3.0f;
    data[i] = static_cast<std::uint16_t>(__float_as_uint(value) >> 16);
  }
}

// Thread i of the grid reads 16-byte words i, i + stride, ...: coalesced, kLoads at a time, each word once per repeat.
// ld.global.cg keeps L1 out, which would otherwise serve the repeats.
template <int kLoads>
__global__ void __launch_bounds__(kThreads)
    read_kernel(const uint4* __restrict__ source, std::int64_t words, int repeats, std::uint32_t* sink) {
  const std::int64_t first = blockIdx.x * static_cast<std::int64_t>(kThreads) + threadIdx.x;
  const std::int64_t stride = static_cast<std::int64_t>(gridDim.x) * kThreads;
  std::uint32_t mixed = 0;
  for (int r = 0; r < repeats; ++r) {
    std::int64_t i = first;
    for (; i + (kLoads - 1) * stride < words; i += kLoads * stride) {
      uint4 word[kLoads];
#pragma unroll
      for (int j = 0; j < kLoads; ++j) word[j] = __ldcg(source + i + j * stride);
#pragma unroll
      for (int j = 0; j < kLoads; ++j) mixed ^= word[j].x ^ word[j].y ^ word[j].z ^ word[j].w;
    }
    for (; i < words; i += stride) mixed ^= __ldcg(source + i).x;
    mixed = mixed * 5u + 1u;  // so that an even number of repeats does not cancel
  }
  if (mixed == 0x5eed5eedu) *sink = mixed;  // keeps the loads alive
}

// As read_kernel, every word stored to the same place of `target`.
template <int kLoads>
__global__ void __launch_bounds__(kThreads)
    copy_kernel(uint4* __restrict__ target, const uint4* __restrict__ source, std::int64_t words) {
  const std::int64_t first = blockIdx.x * static_cast<std::int64_t>(kThreads) + threadIdx.x;
  const std::int64_t stride = static_cast<std::int64_t>(gridDim.x) * kThreads;
  std::int64_t i = first;
  for (; i + (kLoads - 1) * stride < words; i += kLoads * stride) {
    uint4 word[kLoads];
#pragma unroll
    for (int j = 0; j < kLoads; ++j) word[j] = __ldcg(source + i + j * stride);
#pragma unroll
    for (int j = 0; j < kLoads; ++j) target[i + j * stride] = word[j];
  }
  for (; i < words; i += stride) target[i] = __ldcg(source + i);
}

// A warp computes 16 rows × 64 columns of C; fragments come straight from global memory. Plain on purpose: what counts
// is that it issues exactly m·n·k / (16·8·16) mma instructions.
__global__ void __launch_bounds__(32)
    matmul_kernel(const std::uint16_t* __restrict__ a, const std::uint16_t* __restrict__ b, float* __restrict__ c,
                  int n, int k) {
  const int group = static_cast<int>(threadIdx.x) / 4;  // row of A, column of B within the tile
  const int pair = static_cast<int>(threadIdx.x) % 4 * 2;
  const std::int64_t row = blockIdx.y * 16 + group;
  const std::int64_t column = blockIdx.x * (8 * kWarpColumns);
  float sum[kWarpColumns][4] = {};
  const auto load = [](const std::uint16_t* p) { return *reinterpret_cast<const std::uint32_t*>(p); };
  for (int step = 0; step < k; step += 16) {
    const std::uint16_t* upper = a + row * k + step + pair;
    const std::uint16_t* lower = upper + 8 * static_cast<std::int64_t>(k);
    const std::uint32_t a0 = load(upper), a1 = load(lower), a2 = load(upper + 8), a3 = load(lower + 8);
#pragma unroll
    for (int j = 0; j < kWarpColumns; ++j) {
      const std::uint16_t* keys = b + (column + j * 8 + group) * k + step + pair;
      const std::uint32_t b0 = load(keys), b1 = load(keys + 8);
      asm volatile(
          "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
          : "+f"(sum[j][0]), "+f"(sum[j][1]), "+f"(sum[j][2]), "+f"(sum[j][3])
          : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
    }
  }
#pragma unroll
  for (int j = 0; j < kWarpColumns; ++j) {
    float* out = c + row * n + column + j * 8 + pair;
    out[0] = sum[j][0];
    out[1] = sum[j][1];
    out[8 * static_cast<std::int64_t>(n)] = sum[j][2];
    out[8 * static_cast<std::int64_t>(n) + 1] = sum[j][3];
  }
}

__device__ float fused(float x, float a, float b) { return __fmaf_rn(x, a, b); }
__device__ __half2 fused(__half2 x, __half2 a, __half2 b) { return __hfma2(x, a, b); }

// x ← x·a + b along kFmaChains independent chains per thread; a and b are read from the chains' own start values, so
// that the loop holds nothing but multiply-adds.
template <typename T>
__global__ void __launch_bounds__(kThreads) multiply_add_kernel(T* data, int iterations) {
  T* own = data + (blockIdx.x * static_cast<std::int64_t>(kThreads) + threadIdx.x) * kFmaChains;
  T x[kFmaChains];
#pragma unroll
  for (int j = 0; j < kFmaChains; ++j) x[j] = own[j];
  const T a = x[0];
  const T b = x[1];
#pragma unroll 4
  for (int i = 0; i < iterations; ++i) {
#pragma unroll
    for (int j = 0; j < kFmaChains; ++j) x[j] = fused(x[j], a, b);
  }
#pragma unroll
  for (int j = 0; j < kFmaChains; ++j) own[j] = x[j];
}

__global__ void nothing_kernel() {}

/// Calls `launch` with the number of loads in flight as a constant.
template <typename Launch>
void with_loads(int loads, const Launch& launch) {
  switch (loads) {
    case 2:
      return launch(std::integral_constant<int, 2>());
    case 4:
      return launch(std::integral_constant<int, 4>());
    case 8:
      return launch(std::integral_constant<int, 8>());
    case 16:
      return launch(std::integral_constant<int, 16>());
    default:
      throw Error("loads in flight: expected 2, 4, 8 or 16, found " + std::to_string(loads));
  }
}

}  // namespace

void fill_noise_bf16(std::uint16_t* data, std::int64_t count, void* stream) {
  fill_noise_kernel<<<grid_of(8), kThreads, 0, as_stream(stream)>>>(data, count);
  check_launch("fill_noise_kernel");
}

void read_memory(const void* source, std::int64_t bytes, int repeats, std::uint32_t* sink, void* stream,
                 StreamShape shape) {
  with_loads(shape.loads_in_flight, [&](auto loads) {
    read_kernel<loads()><<<grid_of(shape.blocks_per_sm), kThreads, 0, as_stream(stream)>>>(
        static_cast<const uint4*>(source), bytes / 16, repeats, sink);
  });
  check_launch("read_kernel");
}

void copy_memory(void* target, const void* source, std::int64_t bytes, void* stream, StreamShape shape) {
  with_loads(shape.loads_in_flight, [&](auto loads) {
    copy_kernel<loads()><<<grid_of(shape.blocks_per_sm), kThreads, 0, as_stream(stream)>>>(
        static_cast<uint4*>(target), static_cast<const uint4*>(source), bytes / 16);
  });
  check_launch("copy_kernel");
}

void matmul_bf16(const std::uint16_t* a, const std::uint16_t* b, float* c, int m, int n, int k, void* stream) {
  const dim3 grid(static_cast<unsigned>(n / (8 * kWarpColumns)), static_cast<unsigned>(m / 16));
  matmul_kernel<<<grid, 32, 0, as_stream(stream)>>>(a, b, c, n, k);
  check_launch("matmul_kernel");
}

void multiply_add_f32(float* data, int threads, int iterations, void* stream) {
  multiply_add_kernel<<<threads / kThreads, kThreads, 0, as_stream(stream)>>>(data, iterations);
  check_launch("multiply_add_kernel<float>");
}

void multiply_add_half2(void* data, int threads, int iterations, void* stream) {
  multiply_add_kernel<<<threads / kThreads, kThreads, 0, as_stream(stream)>>>(static_cast<__half2*>(data), iterations);
  check_launch("multiply_add_kernel<half2>");
}

void launch_nothing(void* stream) {
  nothing_kernel<<<1, 32, 0, as_stream(stream)>>>();
  check_launch("nothing_kernel");
}

}  // namespace attnscope
