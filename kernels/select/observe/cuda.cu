// SPDX-License-Identifier: Apache-2.0
// A block owns 1024 scores of one row, a thread four of them, 256 apart; grid (rows, runs of 1024). Every score is read
// and written once (a pool reads its neighbours from L1). Floor: those bytes; all of it runs once per prompt.
#include <cmath>

#include "harness/device/cuda_check.hpp"
#include "kernels/select/observe/pool.hpp"
#include "kernels/select/observe/steps.hpp"

namespace attnscope::select::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kPerThread = 4;
constexpr std::int64_t kRun = kThreads * kPerThread;

/// Calls f(row, j) for the scores [begin, end) of the block's row that this thread owns.
template <typename F>
__device__ void for_own(std::int64_t begin, std::int64_t end, F f) {
  const std::int64_t first = begin + std::int64_t{blockIdx.y} * kRun + threadIdx.x;
  for (int i = 0; i < kPerThread; ++i)
    if (const std::int64_t j = first + i * kThreads; j < end) f(std::int64_t{blockIdx.x}, j);
}

__global__ __launch_bounds__(kThreads) void hide_kernel(float* scores, std::int64_t stride, Future future) {
  for_own(future.first_limit, future.end, [&](std::int64_t r, std::int64_t j) {
    if (j >= future.first_limit + r % future.queries) scores[r * stride + j] = -INFINITY;
  });
}

__global__ __launch_bounds__(kThreads) void add_kernel(const float* some, std::int64_t some_stride, float* all,
                                                       std::int64_t stride, std::int64_t count) {
  for_own(0, count, [&](std::int64_t r, std::int64_t j) { all[r * stride + j] += some[r * some_stride + j]; });
}

__global__ __launch_bounds__(kThreads) void pool_kernel(const float* scores, std::int64_t scores_stride, Pool pool,
                                                        std::int64_t prefix, std::int64_t end, float* pooled,
                                                        std::int64_t stride, std::int32_t* length) {
  for_own(0, end, [&](std::int64_t r, std::int64_t j) {
    pooled[r * stride + j] = j < prefix ? pooled_at(scores + r * scores_stride, prefix, pool, j) : INFINITY;
    if (j == 0) length[r] = static_cast<std::int32_t>(end);
  });
}

dim3 grid_of(std::int64_t scores, std::int64_t rows) {
  return dim3(static_cast<unsigned>(rows), static_cast<unsigned>((scores + kRun - 1) / kRun));
}

}  // namespace

void hide_future(const Scores& scores, const Future& future, void* stream) {
  hide_kernel<<<grid_of(future.end - future.first_limit, scores.rows), kThreads, 0,
                static_cast<cudaStream_t>(stream)>>>(scores.data, scores.stride, future);
  cuda_check(cudaGetLastError(), "select::cuda hide_future");
}

void add_scores(const Scores& some, std::int64_t count, const Scores& all, void* stream) {
  add_kernel<<<grid_of(count, all.rows), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(some.data, some.stride,
                                                                                           all.data, all.stride, count);
  cuda_check(cudaGetLastError(), "select::cuda add_scores");
}

void pool_prefix(const Scores& scores, const Pool& pool, std::int64_t prefix, std::int64_t end, const Scores& pooled,
                 std::int32_t* length, void* stream) {
  pool_kernel<<<grid_of(end, scores.rows), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(
      scores.data, scores.stride, pool, prefix, end, pooled.data, pooled.stride, length);
  cuda_check(cudaGetLastError(), "select::cuda pool_prefix");
}

}  // namespace attnscope::select::cuda
