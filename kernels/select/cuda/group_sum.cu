// SPDX-License-Identifier: Apache-2.0
// Softmax weights summed over a group: a first launch takes the maximum and the sum of e^(s − max) of every chunk of
// every row, a second puts them together and adds the weights. Partial sums are added in a fixed order.
#include <cmath>
#include <string>

#include "harness/base/error.hpp"
#include "harness/device/cuda_check.hpp"
#include "kernels/attend/cuda/mma.cuh"
#include "kernels/select/engines.hpp"

namespace attnscope::select::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / 32;
constexpr int kItems = 16;  // scores of a thread
constexpr int kChunk = kThreads * kItems;
constexpr std::int64_t kMostGroup = 64;
constexpr unsigned kAllLanes = 0xffffffffu;

/// e^x for x ≤ 0, relative error below 2^-22 + |x| 2^-23.
__device__ float exp_fast(float x) { return device::exp2_fast(x * 1.44269504f); }

/// Of some scores: their maximum, and the sum of e^(s − max).
struct Partial {
  float max;
  float sum;
};

/// Of both; −infinity has no weight.
__device__ Partial merged(Partial a, Partial b) {
  const float max = fmaxf(a.max, b.max);
  if (max == -INFINITY) return {max, 0.0f};
  return {max, a.sum * exp_fast(a.max - max) + b.sum * exp_fast(b.max - max)};
}

__device__ Partial warp_merged(Partial own) {
#pragma unroll
  for (int offset = 16; offset > 0; offset /= 2)
    own = merged(own, {__shfl_xor_sync(kAllLanes, own.max, offset), __shfl_xor_sync(kAllLanes, own.sum, offset)});
  return own;
}

struct Args {
  const float* __restrict__ scores;
  const std::int32_t* __restrict__ lengths;
  std::int64_t stride;
  int group;
  float* __restrict__ sums;
  std::int32_t* __restrict__ sum_lengths;
  std::int64_t sum_stride;
  Partial* __restrict__ partials;  // [rows, chunks]
};

// Block (x, r) reads 4096 scores of row r once.
// Floor of both launches: the scores read once (they are twice), the sums written. Measured on an H200: groups of 4 of
// 32 rows of a million scores in 113 us, 0.32 of the floor; of 2048 rows of 32768 in 201 us, 0.36.
__global__ __launch_bounds__(kThreads) void partials_kernel(const __grid_constant__ Args args) {
  const std::int64_t row = blockIdx.y;
  const std::int64_t first = std::int64_t{blockIdx.x} * kChunk + threadIdx.x;
  const std::int64_t length = args.lengths[row];
  const float* scores = args.scores + row * args.stride;
  float s[kItems];
  Partial own{-INFINITY, 0.0f};
#pragma unroll
  for (int i = 0; i < kItems; ++i) {
    s[i] = first + i * kThreads < length ? scores[first + i * kThreads] : -INFINITY;
    own.max = fmaxf(own.max, s[i]);
  }
  if (own.max > -INFINITY)
#pragma unroll
    for (int i = 0; i < kItems; ++i) own.sum += exp_fast(s[i] - own.max);
  own = warp_merged(own);
  __shared__ Partial warps[kWarps];
  if (threadIdx.x % 32 == 0) warps[threadIdx.x / 32] = own;
  __syncthreads();
  if (threadIdx.x != 0) return;
  for (int w = 1; w < kWarps; ++w) own = merged(own, warps[w]);
  args.partials[row * gridDim.x + blockIdx.x] = own;
}

// Block (x, k) writes 4096 sums of group k. Each warp puts together the partials of every eighth row of the group, then
// all threads read the group's scores once. Shared memory: maximum and reciprocal sum of every row.
__global__ __launch_bounds__(kThreads) void add_weights_kernel(const __grid_constant__ Args args) {
  __shared__ Partial rows[kMostGroup];
  const std::int64_t group = blockIdx.y;
  const std::int64_t length = args.lengths[group * args.group];
  if (blockIdx.x == 0 && threadIdx.x == 0) args.sum_lengths[group] = static_cast<std::int32_t>(length);
  const std::int64_t first = std::int64_t{blockIdx.x} * kChunk;
  if (first >= length) return;
  for (int g = threadIdx.x / 32; g < args.group; g += kWarps) {
    const Partial* partials = args.partials + (group * args.group + g) * gridDim.x;
    Partial own{-INFINITY, 0.0f};
    for (int c = threadIdx.x % 32; c < static_cast<int>(gridDim.x); c += 32) own = merged(own, partials[c]);
    own = warp_merged(own);
    // Rows without a finite score: factor 0, and a maximum that makes every term e^(−infinity) = 0.
    if (threadIdx.x % 32 == 0) rows[g] = own.sum > 0.0f ? Partial{own.max, 1.0f / own.sum} : Partial{0.0f, 0.0f};
  }
  __syncthreads();
#pragma unroll 4
  for (int i = 0; i < kItems; ++i) {
    const std::int64_t j = first + i * kThreads + threadIdx.x;
    if (j >= length) break;
    float sum = 0.0f;
    for (int g = 0; g < args.group; ++g)
      sum += exp_fast(args.scores[(group * args.group + g) * args.stride + j] - rows[g].max) * rows[g].sum;
    args.sums[group * args.sum_stride + j] = sum;
  }
}

std::int64_t chunks_of(const Scores& scores) { return (scores.stride + kChunk - 1) / kChunk; }

}  // namespace

std::size_t group_sum_workspace(const Scores& scores) {
  return static_cast<std::size_t>(scores.rows * chunks_of(scores)) * sizeof(Partial);
}

void group_sum(const Scores& scores, std::int64_t group, const Scores& sums, std::int32_t* length, void* workspace,
               void* stream) {
  if (group > kMostGroup)
    throw InputError("select::cuda group_sum: expected groups of at most " + std::to_string(kMostGroup) +
                     " rows, found " + std::to_string(group));
  Args args{};
  args.scores = scores.data;
  args.lengths = scores.length;
  args.stride = scores.stride;
  args.group = static_cast<int>(group);
  args.sums = sums.data;
  args.sum_lengths = length;
  args.sum_stride = sums.stride;
  args.partials = static_cast<Partial*>(workspace);
  const auto chunks = static_cast<unsigned>(chunks_of(scores));
  auto* const cuda_stream = static_cast<cudaStream_t>(stream);
  partials_kernel<<<dim3(chunks, static_cast<unsigned>(scores.rows)), kThreads, 0, cuda_stream>>>(args);
  add_weights_kernel<<<dim3(chunks, static_cast<unsigned>(sums.rows)), kThreads, 0, cuda_stream>>>(args);
  cuda_check(cudaGetLastError(), "select::cuda group_sum");
}

}  // namespace attnscope::select::cuda
