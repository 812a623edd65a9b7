// SPDX-License-Identifier: Apache-2.0
// Top-p by bisection on the weight, as released with Twilight: one block of 1024 threads per row.
#include <cmath>
#include <string>

#include "harness/base/error.hpp"
#include "harness/device/cuda_check.hpp"
#include "kernels/select/engines.hpp"

namespace attnscope::select::cuda {
namespace {

constexpr int kThreads = 1024;
constexpr int kWarps = kThreads / 32;
constexpr std::int64_t kCachedWeights = 16384;  // a row of this length lies in shared memory (64 KB)
constexpr float kTolerance = 1e-5f;
constexpr unsigned kAllLanes = 0xffffffffu;

struct Args {
  const float* __restrict__ scores;
  const std::int32_t* __restrict__ lengths;
  std::int64_t stride;
  Lists lists;
  double p;
  bool from_first;
  bool cached;
};

/// What one repetition asks of the weights.
struct Sweep {
  double above;  // Σ{w > mid}
  float least;   // min{w > low}
  float most;    // max{w ≤ high}
};

__device__ Sweep merged(const Sweep& a, const Sweep& b) {
  return {a.above + b.above, fminf(a.least, b.least), fmaxf(a.most, b.most)};
}

/// Of all threads' parts, in a fixed order; valid in every thread.
__device__ Sweep block_merged(Sweep own) {
  __shared__ Sweep warps[kWarps];
#pragma unroll
  for (int offset = 16; offset > 0; offset /= 2)
    own = merged(own, {__shfl_xor_sync(kAllLanes, own.above, offset), __shfl_xor_sync(kAllLanes, own.least, offset),
                       __shfl_xor_sync(kAllLanes, own.most, offset)});
  __syncthreads();  // the last call's result has been read
  if (threadIdx.x % 32 == 0) warps[threadIdx.x / 32] = own;
  __syncthreads();
  own = warps[0];
  for (int w = 1; w < kWarps; ++w) own = merged(own, warps[w]);
  return own;
}

/// The weights of one row: kept, or worked out anew from its scores.
struct Weights {
  const float* values;
  bool kept;
  float max;
  float factor;
  int length;

  __device__ float operator[](int i) const { return kept ? values[i] : expf(values[i] - max) * factor; }
};

/// Positions of this warp's range with weights above `low`: counted, and written where `target` is not null.
__device__ int list_range(const Weights& weights, int begin, int end, float low, std::int32_t* target) {
  const int lane = threadIdx.x % 32;
  int count = 0;
  for (int first = begin; first < end; first += 32) {
    const bool listed = first + lane < end && weights[first + lane] > low;
    const unsigned mask = __ballot_sync(kAllLanes, listed);
    if (listed && target != nullptr) target[count + __popc(mask & ((1u << lane) - 1))] = first + lane;
    count += __popc(mask);
  }
  return count;
}

// A block owns one row. It reads the scores three times (maximum, sum, and for the weights) when they fit into shared
// memory, else once more per repetition of the bisection, up to 18 times, and twice to write the list.
// Measured on an H200: 32 rows of 8192, 131072 and a million scores in 28, 163 and 1490 us.
__global__ __launch_bounds__(kThreads) void bisection_kernel(const __grid_constant__ Args args) {
  extern __shared__ float cache[];
  const std::int64_t row = blockIdx.x;
  const int length = args.lengths[row];
  const float* scores = args.scores + row * args.stride;

  Sweep own{0.0, 0.0f, -INFINITY};
  for (int i = threadIdx.x; i < length; i += kThreads) own.most = fmaxf(own.most, scores[i]);
  const float max = block_merged(own).most;
  if (max == -INFINITY) {
    if (threadIdx.x == 0) args.lists.count[row] = 0;
    return;
  }
  own = {0.0, 0.0f, 0.0f};
  for (int i = threadIdx.x; i < length; i += kThreads) own.above += expf(scores[i] - max);
  Weights weights{scores, false, max, static_cast<float>(1.0 / block_merged(own).above), length};
  if (args.cached) {
    for (int i = threadIdx.x; i < length; i += kThreads) cache[i] = weights[i];
    weights.values = cache;
    weights.kept = true;
    __syncthreads();
  }

  // The largest weight is that of the largest score: e^0 / Σ.
  float low = 0.0f;
  float high = args.from_first ? weights[0] : weights.factor;
  for (bool narrow = false; !narrow;) {
    const float mid = (low + high) / 2;
    own = {0.0, high, low};
    for (int i = threadIdx.x; i < length; i += kThreads) {
      const float w = weights[i];
      if (w > mid) own.above += w;
      if (w > low) own.least = fminf(own.least, w);
      if (w <= high) own.most = fmaxf(own.most, w);
    }
    const Sweep found = block_merged(own);
    if (found.above >= args.p)
      low = mid;
    else
      high = fminf(mid, found.most);
    narrow = found.most - found.least <= kTolerance;
  }

  __shared__ int counts[kWarps];
  const int warp = threadIdx.x / 32;
  const int per_warp = ((length + kWarps - 1) / kWarps + 31) / 32 * 32;
  const int begin = min(warp * per_warp, length);
  const int end = min(begin + per_warp, length);
  const int count = list_range(weights, begin, end, low, nullptr);
  if (threadIdx.x % 32 == 0) counts[warp] = count;
  __syncthreads();
  int before = 0;
  for (int w = 0; w < warp; ++w) before += counts[w];
  list_range(weights, begin, end, low, args.lists.indices + row * args.lists.capacity + before);
  if (threadIdx.x == kThreads - 1) args.lists.count[row] = before + count;
}

}  // namespace

void top_p_by_bisection(const Scores& scores, double p, BisectionStart start, const Lists& lists, void* stream) {
  if (lists.capacity < scores.stride)
    throw InputError("select::cuda top_p_by_bisection: expected lists as long as the rows, found capacity " +
                     std::to_string(lists.capacity));
  const bool cached = scores.stride <= kCachedWeights;
  const Args args{.scores = scores.data,
                  .lengths = scores.length,
                  .stride = scores.stride,
                  .lists = lists,
                  .p = p,
                  .from_first = start == BisectionStart::first_weight,
                  .cached = cached};
  cuda_check(cudaFuncSetAttribute(bisection_kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                  static_cast<int>(kCachedWeights * sizeof(float))),
             "select::cuda top_p_by_bisection: shared memory");
  const std::size_t shared_bytes = cached ? static_cast<std::size_t>(scores.stride) * sizeof(float) : 0;
  bisection_kernel<<<static_cast<unsigned>(scores.rows), kThreads, shared_bytes, static_cast<cudaStream_t>(stream)>>>(
      args);
  cuda_check(cudaGetLastError(), "select::cuda top_p_by_bisection");
}

}  // namespace attnscope::select::cuda
