// SPDX-License-Identifier: Apache-2.0
// Log weights of listed keys.
#include <algorithm>

#include "harness/device/cuda_check.hpp"
#include "kernels/attend/cuda/cache.cuh"
#include "kernels/attend/cuda/mma.cuh"
#include "kernels/select/lsh/collision.hpp"
#include "kernels/select/lsh/cuda/kernels.hpp"

namespace attnscope::select::cuda {
namespace {

using namespace device;

constexpr int kWarps = 8;
constexpr int kThreads = kWarps * 32;
constexpr std::int64_t kBlocks = 4096;  // about, over all rows: several times what any GPU runs at once
constexpr std::int64_t kMaxRowBlocks = 64;
constexpr std::int64_t kMinRowBlocks = 4;

struct Args {
  const void* __restrict__ q;
  const void* __restrict__ k;
  Cache cache;
  const float* __restrict__ centre;  // [heads, head_dim]
  Lists lists;
  float* __restrict__ log_weight;
  KeyRange indexed;
  int group;
  int bits;
  int tables;
  float floor;
};

// A block owns every gridDim.x-th run of 256 keys of one row's list, a warp 32 of them: it reads their rows of K, 16
// bytes per lane, for q · (k − centre) and |k − centre|², and then each lane computes the weight of one key.
// Reads a row of K per listed key of each query head (L2 holds those that a group shares); writes a float per key.
// Floor: K of the listed keys. Measured on an H200, 1.3 % of a million keys: 0.38 of the HBM read rate.
template <typename T, int kHeadDim>
__global__ __launch_bounds__(kThreads) void weigh_kernel(const __grid_constant__ Args args) {
  constexpr int kElements = 16 / sizeof(T);
  constexpr int kLanes = kHeadDim / kElements;  // lanes per key
  constexpr int kAtOnce = 32 / kLanes;          // keys
  struct alignas(16) Chunk {
    T values[kElements];
  };
  const std::int64_t row = blockIdx.y;
  const auto head = static_cast<int>(row / args.group);
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
  const int part = lane % kLanes;
  const int count = args.lists.count[row];
  const std::int32_t* const indices = args.lists.indices + row * args.lists.capacity;
  float* const log_weights = args.log_weight + row * args.lists.capacity;
  const KvRows rows = args.cache.rows(head);

  float q[kElements], centre[kElements];
  float query2 = 0.0f;
  const Chunk query = reinterpret_cast<const Chunk*>(static_cast<const T*>(args.q) + row * kHeadDim)[part];
#pragma unroll
  for (int e = 0; e < kElements; ++e) {
    q[e] = static_cast<float>(query.values[e]);
    centre[e] = args.centre[std::int64_t{head} * kHeadDim + part * kElements + e];
    query2 = fmaf(q[e], q[e], query2);
  }
#pragma unroll
  for (int step = 1; step < kLanes; step *= 2) query2 += __shfl_xor_sync(kWarpMask, query2, step);
  const float query_norm = sqrtf(query2);

  const int stride = static_cast<int>(gridDim.x) * kThreads;
  for (int first = static_cast<int>(blockIdx.x) * kThreads + warp * 32; first < count; first += stride) {
    const std::int32_t own_key = indices[min(first + lane, count - 1)];
    float own_product = 0.0f, own_key2 = 0.0f;  // of key number `lane`
#pragma unroll 4
    for (int turn = 0; turn < kLanes; ++turn) {
      const std::int32_t key = __shfl_sync(kWarpMask, own_key, turn * kAtOnce + lane / kLanes);
      const auto* source = static_cast<const T*>(args.k) + rows.row(key) * kHeadDim;
      const Chunk chunk = reinterpret_cast<const Chunk*>(source)[part];
      float product = 0.0f, key2 = 0.0f;
#pragma unroll
      for (int e = 0; e < kElements; ++e) {
        const float x = static_cast<float>(chunk.values[e]) - centre[e];
        product = fmaf(q[e], x, product);
        key2 = fmaf(x, x, key2);
      }
#pragma unroll
      for (int step = 1; step < kLanes; step *= 2) {
        product += __shfl_xor_sync(kWarpMask, product, step);
        key2 += __shfl_xor_sync(kWarpMask, key2, step);
      }
      const float lane_product = __shfl_sync(kWarpMask, product, lane % kAtOnce * kLanes);
      const float lane_key2 = __shfl_sync(kWarpMask, key2, lane % kAtOnce * kLanes);
      if (turn == lane / kAtOnce) {
        own_product = lane_product;
        own_key2 = lane_key2;
      }
    }
    if (first + lane >= count) continue;
    const bool indexed = own_key >= args.indexed.begin && own_key < args.indexed.end;
    const float norms = query_norm * sqrtf(own_key2);
    const float cosine = norms > 0.0f ? own_product / norms : 0.0f;
    log_weights[first + lane] = indexed ? log_weight(cosine, args.bits, args.tables, args.floor) : 0.0f;
  }
}

template <int kHeadDim>
void launch(const Args& args, Dtype dtype, const dim3& grid, cudaStream_t stream) {
  if (dtype == Dtype::f32)
    weigh_kernel<float, kHeadDim><<<grid, kThreads, 0, stream>>>(args);
  else if (dtype == Dtype::bf16)
    weigh_kernel<bf16, kHeadDim><<<grid, kThreads, 0, stream>>>(args);
  else
    weigh_kernel<f16, kHeadDim><<<grid, kThreads, 0, stream>>>(args);
}

}  // namespace

void weigh(const AttentionInputs& in, const Lsh& lsh, const float* centre, const Lists& lists, float floor,
           float* log_weight, cudaStream_t stream) {
  const Shape& shape = in.shape;
  Args args{};
  args.q = in.q;
  args.k = in.k;
  args.cache = Cache(in);
  args.centre = centre;
  args.lists = lists;
  args.log_weight = log_weight;
  args.indexed = lsh.indexed;
  args.group = static_cast<int>(shape.group());
  args.bits = static_cast<int>(lsh.bits);
  args.tables = static_cast<int>(lsh.tables);
  args.floor = floor;
  // How long lists are, only the device knows: enough blocks for a long one, few enough to be free when it is short.
  const std::int64_t rows = shape.batch * shape.q_heads;
  const std::int64_t longest = (lists.capacity + kThreads - 1) / kThreads;
  const std::int64_t blocks = std::min(longest, std::clamp(kBlocks / rows, kMinRowBlocks, kMaxRowBlocks));
  const dim3 grid(static_cast<unsigned>(blocks), static_cast<unsigned>(rows));
  shape.head_dim == 64 ? launch<64>(args, shape.dtype, grid, stream) : launch<128>(args, shape.dtype, grid, stream);
  cuda_check(cudaGetLastError(), "lsh: weigh");
}

}  // namespace attnscope::select::cuda
