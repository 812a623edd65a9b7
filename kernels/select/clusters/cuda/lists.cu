// SPDX-License-Identifier: Apache-2.0
// From ranked clusters to what attention reads: their keys in ascending order, and the clusters that stand for theirs.
// Keys are ordered through a bitmap of the context, an eighth of a byte per key, rather than by sorting them.
#include <cmath>

#include "harness/device/cuda_check.hpp"
#include "kernels/select/clusters.hpp"

namespace attnscope::select {
namespace {

constexpr unsigned kAllLanes = 0xffffffffu;
constexpr int kThreads = 512;
constexpr int kWarps = kThreads / 32;
constexpr int kChunkKeys = kThreads * 32;  // a word of the bitmap per thread

/// Sum of `count` over the threads before this one; `total` receives that over all threads. The whole block takes part.
__device__ int sum_before(int count, int& total) {
  __shared__ int warp_sums[kWarps];
  const int lane = threadIdx.x % 32;
  int inclusive = count;
#pragma unroll
  for (int offset = 1; offset < 32; offset *= 2) {
    const int lower = __shfl_up_sync(kAllLanes, inclusive, offset);
    if (lane >= offset) inclusive += lower;
  }
  if (lane == 31) warp_sums[threadIdx.x / 32] = inclusive;
  __syncthreads();
  int before = inclusive - count;
  total = 0;
#pragma unroll
  for (int w = 0; w < kWarps; ++w) {
    if (w < static_cast<int>(threadIdx.x) / 32) before += warp_sums[w];
    total += warp_sums[w];
  }
  __syncthreads();
  return before;
}

struct MembersArgs {
  std::int64_t kv_len;
  std::int64_t first;  // clustered key
  std::int64_t keys;   // clustered
  std::int64_t clusters;
  const std::int32_t* __restrict__ begin;
  const std::int32_t* __restrict__ members;
  Lists listed;
  Lists out;
  std::uint32_t* bitmap;  // [rows, chunks, kThreads]
  int* counts;            // [rows, chunks]
  int chunks;

  __device__ void mark(std::int64_t row, std::int64_t key) const {
    atomicOr(bitmap + (row * chunks * kThreads + key / 32), 1u << key % 32);
    atomicAdd(counts + row * chunks + key / kChunkKeys, 1);
  }
};

// A warp marks the members of one listed cluster; the last one the keys outside the clustered range.
__global__ __launch_bounds__(kThreads) void mark_kernel(const __grid_constant__ MembersArgs args) {
  const std::int64_t row = blockIdx.y;
  const int lane = threadIdx.x % 32;
  const std::int64_t item = std::int64_t{blockIdx.x} * kWarps + threadIdx.x / 32;
  if (item == args.listed.capacity) {
    for (std::int64_t key = lane; key < args.first; key += 32) args.mark(row, key);
    for (std::int64_t key = args.first + args.keys + lane; key < args.kv_len; key += 32) args.mark(row, key);
  }
  if (item >= args.listed.count[row]) return;
  const int cluster = args.listed.indices[row * args.listed.capacity + item];
  const std::int32_t* ends = args.begin + row * (args.clusters + 1) + cluster;
  for (int i = ends[0] + lane; i < ends[1]; i += 32) args.mark(row, args.first + args.members[row * args.keys + i]);
}

// A block writes the marked keys of one chunk of 16384, a thread those of one word.
__global__ __launch_bounds__(kThreads) void write_keys_kernel(const __grid_constant__ MembersArgs args) {
  const std::int64_t row = blockIdx.y;
  const int chunk = static_cast<int>(blockIdx.x);
  int own = 0;
  for (int c = threadIdx.x; c < chunk; c += kThreads) own += args.counts[row * args.chunks + c];
  int before_chunk = 0;
  sum_before(own, before_chunk);

  std::uint32_t word = args.bitmap[(row * args.chunks + chunk) * kThreads + threadIdx.x];
  int total = 0;
  int place = before_chunk + sum_before(__popc(word), total);
  std::int32_t* out = args.out.indices + row * args.out.capacity;
  for (; word; word &= word - 1)
    out[place++] = chunk * kChunkKeys + static_cast<int>(threadIdx.x) * 32 + __ffs(static_cast<int>(word)) - 1;
  if (chunk == args.chunks - 1 && threadIdx.x == 0) args.out.count[row] = before_chunk + total;
}

struct RemainingArgs {
  std::int64_t clusters;
  const std::int32_t* __restrict__ begin;
  Lists listed;
  Lists wider;
  Lists out;
  float* __restrict__ log_size;
};

__device__ bool contains(const std::int32_t* sorted, int count, int wanted) {
  int low = 0;
  int high = count;
  while (low < high) {
    const int middle = (low + high) / 2;
    if (sorted[middle] < wanted)
      low = middle + 1;
    else
      high = middle;
  }
  return low < count && sorted[low] == wanted;
}

// A block owns one row and takes 4 · 512 clusters of the wider list at a time, a thread four consecutive ones.
__global__ __launch_bounds__(kThreads) void remaining_kernel(const __grid_constant__ RemainingArgs args) {
  constexpr int kOwn = 4;
  const std::int64_t row = blockIdx.x;
  const std::int32_t* begin = args.begin + row * (args.clusters + 1);
  const std::int32_t* listed = args.listed.indices + row * args.listed.capacity;
  const std::int32_t* wider = args.wider.indices + row * args.wider.capacity;
  const int wider_count = args.wider.count[row];
  int written = 0;
  for (int tile = 0; tile < wider_count; tile += kThreads * kOwn) {
    int cluster[kOwn];
    int size[kOwn];  // 0 for what is left out
    int kept = 0;
#pragma unroll
    for (int e = 0; e < kOwn; ++e) {
      const int i = tile + static_cast<int>(threadIdx.x) * kOwn + e;
      cluster[e] = i < wider_count ? wider[i] : 0;
      const bool taken = i >= wider_count || contains(listed, args.listed.count[row], cluster[e]);
      size[e] = taken ? 0 : begin[cluster[e] + 1] - begin[cluster[e]];
      kept += size[e] > 0;
    }
    int total = 0;
    std::int64_t place = row * args.out.capacity + written + sum_before(kept, total);
#pragma unroll
    for (int e = 0; e < kOwn; ++e) {
      if (size[e] == 0) continue;
      args.out.indices[place] = cluster[e];
      args.log_size[place++] = logf(static_cast<float>(size[e]));
    }
    written += total;
  }
  if (threadIdx.x == 0) args.out.count[row] = written;
}

// A thread per score.
__global__ __launch_bounds__(kThreads) void mask_empty_kernel(const std::int32_t* __restrict__ begin,
                                                              std::int64_t clusters, float* scores,
                                                              std::int64_t stride) {
  const std::int64_t cluster = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (cluster >= clusters) return;
  const std::int32_t* ends = begin + blockIdx.y * (clusters + 1) + cluster;
  if (ends[0] == ends[1]) scores[blockIdx.y * stride + cluster] = -INFINITY;
}

std::int64_t chunks_of(std::int64_t kv_len) { return (kv_len + kChunkKeys - 1) / kChunkKeys; }

unsigned blocks_for(std::int64_t items, std::int64_t per_block) {
  return static_cast<unsigned>((items + per_block - 1) / per_block);
}

class CudaClusterLists final : public ClusterLists {
 public:
  explicit CudaClusterLists(void* stream) : stream_(static_cast<cudaStream_t>(stream)) {}

  void mask_empty(const ClusterPlan& plan, const std::int32_t* begin, const Scores& scores) const override {
    const dim3 grid(blocks_for(plan.clusters, kThreads), static_cast<unsigned>(scores.rows));
    mask_empty_kernel<<<grid, kThreads, 0, stream_>>>(begin, plan.clusters, scores.data, scores.stride);
    cuda_check(cudaGetLastError(), "select::cuda mask_empty");
  }

  std::size_t members_workspace(std::int64_t rows, std::int64_t kv_len) const override {
    return static_cast<std::size_t>(rows * chunks_of(kv_len)) * (kThreads * sizeof(std::uint32_t) + sizeof(int));
  }

  void members(const ClusterPlan& plan, std::int64_t rows, std::int64_t kv_len, const std::int32_t* begin,
               const std::int32_t* members, const Lists& listed, const Lists& keys, void* workspace) const override {
    const std::int64_t chunks = chunks_of(kv_len);
    auto* bitmap = static_cast<std::uint32_t*>(workspace);
    const MembersArgs args{.kv_len = kv_len,
                           .first = plan.first,
                           .keys = plan.keys,
                           .clusters = plan.clusters,
                           .begin = begin,
                           .members = members,
                           .listed = listed,
                           .out = keys,
                           .bitmap = bitmap,
                           .counts = reinterpret_cast<int*>(bitmap + rows * chunks * kThreads),
                           .chunks = static_cast<int>(chunks)};
    cuda_check(cudaMemsetAsync(workspace, 0, members_workspace(rows, kv_len), stream_),
               "select::cuda members: clearing the bitmap");
    const auto grid_rows = static_cast<unsigned>(rows);
    mark_kernel<<<dim3(blocks_for(listed.capacity + 1, kWarps), grid_rows), kThreads, 0, stream_>>>(args);
    write_keys_kernel<<<dim3(static_cast<unsigned>(chunks), grid_rows), kThreads, 0, stream_>>>(args);
    cuda_check(cudaGetLastError(), "select::cuda members");
  }

  void remaining(const ClusterPlan& plan, std::int64_t rows, const std::int32_t* begin, const Lists& listed,
                 const Lists& wider, const Lists& out, float* log_size) const override {
    const RemainingArgs args{plan.clusters, begin, listed, wider, out, log_size};
    remaining_kernel<<<static_cast<unsigned>(rows), kThreads, 0, stream_>>>(args);
    cuda_check(cudaGetLastError(), "select::cuda remaining");
  }

 private:
  const cudaStream_t stream_;
};

}  // namespace

std::unique_ptr<const ClusterLists> make_cuda_cluster_lists(void* stream) {
  return std::make_unique<CudaClusterLists>(stream);
}

}  // namespace attnscope::select
