// SPDX-License-Identifier: Apache-2.0
// Exact top-k and top-p of score rows. Short rows, and rows that come by the hundreds, take one block each in a single
// launch; few long rows are cut into chunks (chunk_select.cu).
#include <algorithm>
#include <cmath>
#include <string>
#include <type_traits>

#include "harness/base/error.hpp"
#include "harness/device/cuda_check.hpp"
#include "kernels/select/cuda/chunk_select.hpp"
#include "kernels/select/cuda/request.cuh"
#include "kernels/select/cuda/row_threshold.cuh"
#include "kernels/select/select.hpp"

namespace attnscope::select::cuda {
namespace {

constexpr std::int64_t kCachedKeys = 16384;  // a row of this length lies in shared memory (64 KB)
constexpr std::int64_t kManyRows = 264;      // fill the machine with a block each

// A block owns one row. It reads the scores once into shared memory when they fit, else once per step (three digits, or
// the maximum, the bins and one of them; counting; writing) from L2 or HBM; writes the list once.
// Shared memory: one histogram of 2048 64-bit bins, and the row when it has at most 16384 scores.
// Shapes: rows of up to 2^30 scores. Floor: one read of the scores. Measured on an H200, rows of 8192: mass 0.9 of 32
// rows in 15 us and of 2048 in 119 us, top 1024 in 15 and 132 us; 2048 rows of 32768 in 385 and 311 us, 0.15 and 0.19
// of the floor (four and five reads, each below the HBM rate).
template <bool kTopP>
__global__ __launch_bounds__(kThreads, 3) void select_row_kernel(const __grid_constant__ Request request, bool cached) {
  extern __shared__ float cache[];
  const std::int64_t row = blockIdx.x;
  const int length = request.length(row);
  const float* values = request.scores + row * request.stride;
  if (cached) {
    for (int i = threadIdx.x; i < length; i += kThreads) cache[i] = values[i];
    values = cache;
    __syncthreads();
  }

  Threshold threshold{0, length};
  if (!takes_all<kTopP>(request, length)) threshold = row_threshold<kTopP>(request, values, length);

  __shared__ Tally tallies[kWarps];
  const int warp = threadIdx.x / 32;
  const WarpRange range(0, length, warp);
  const Tally own = count_keys(values, range, threshold.key);
  if (threadIdx.x % 32 == 0) tallies[warp] = own;
  __syncthreads();
  Tally before{};
  for (int w = 0; w < warp; ++w) before += tallies[w];
  write_indices(values, range, threshold, before, request.indices + row * request.capacity);
  if (warp == kWarps - 1 && threadIdx.x % 32 == 0) {
    before += own;
    request.counts[row] = before.selected(threshold.ties);
  }
}

/// True for rows that one block each serves best.
bool row_by_row(std::int64_t rows, std::int64_t stride) { return stride <= kCachedKeys || rows >= kManyRows; }

template <bool kTopP>
void select_rows(const Request& request, std::int64_t rows, cudaStream_t stream) {
  const bool cached = request.stride <= kCachedKeys;
  const std::size_t shared_bytes = cached ? static_cast<std::size_t>(request.stride) * sizeof(float) : 0;
  const auto kernel = select_row_kernel<kTopP>;
  cuda_check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                  static_cast<int>(kCachedKeys * sizeof(float))),
             "select::cuda: shared memory");
  kernel<<<static_cast<unsigned>(rows), kThreads, shared_bytes, stream>>>(request, cached);
  cuda_check(cudaGetLastError(), "select::cuda row");
}

Request make_request(const Scores& scores, const Lists& lists) {
  if (scores.stride >= 1 << 30)
    throw InputError("select::cuda: expected rows of fewer than 2^30 scores, found " + std::to_string(scores.stride));
  Request request{};
  request.scores = scores.data;
  request.lengths = scores.length;
  request.stride = scores.stride;
  request.indices = lists.indices;
  request.counts = lists.count;
  request.capacity = lists.capacity;
  return request;
}

}  // namespace

std::size_t workspace_bytes(std::int64_t rows, std::int64_t stride) {
  return row_by_row(rows, stride) ? 0 : chunk_workspace_bytes(rows, stride);
}

void top_k(const Scores& scores, std::int64_t k, const Lists& lists, void* workspace, void* stream) {
  if (k < 1 || lists.capacity < std::min(k, scores.stride))
    throw InputError("select::cuda top_k: expected k ≥ 1 and lists that hold it, found k = " + std::to_string(k) +
                     " and capacity " + std::to_string(lists.capacity));
  Request request = make_request(scores, lists);
  request.k = k;
  if (scores.rows == 0) return;
  if (row_by_row(scores.rows, scores.stride))
    return select_rows<false>(request, scores.rows, static_cast<cudaStream_t>(stream));
  top_k_in_chunks(request, scores.rows, workspace, stream);
}

void top_p(const Scores& scores, double p, const Lists& lists, void* workspace, void* stream) {
  if (!(p > 0.0) || lists.capacity < scores.stride)
    throw InputError("select::cuda top_p: expected p > 0 and lists as long as the rows, found p = " +
                     std::to_string(p) + " and capacity " + std::to_string(lists.capacity));
  Request request = make_request(scores, lists);
  request.p = p;
  if (scores.rows == 0) return;
  if (row_by_row(scores.rows, scores.stride))
    return select_rows<true>(request, scores.rows, static_cast<cudaStream_t>(stream));
  top_p_in_chunks(request, scores.rows, workspace, stream);
}

}  // namespace attnscope::select::cuda
