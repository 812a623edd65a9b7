// SPDX-License-Identifier: Apache-2.0
// Members by cluster: a stable radix sort of (group, cluster) with the point as value, for all groups at once. Every
// group has equally many points, so its part of the sorted list lies where its points began.
#include <cub/device/device_radix_sort.cuh>

#include "harness/device/cuda_check.hpp"
#include "kernels/select/clusters/cuda/launch.hpp"

namespace attnscope::select::cuda {
namespace {

constexpr int kThreads = 256;

/// The workspace: keys and values as they come, sorted keys, and what CUB asks for.
struct Workspace {
  std::uint32_t* keys;
  std::int32_t* values;
  std::uint32_t* sorted;
  void* cub;

  Workspace(void* memory, std::int64_t items)
      : keys(static_cast<std::uint32_t*>(memory)),
        values(reinterpret_cast<std::int32_t*>(keys + items)),
        sorted(reinterpret_cast<std::uint32_t*>(values + items)),
        cub(reinterpret_cast<std::byte*>(keys) + bytes(items)) {}
  static std::size_t bytes(std::int64_t items) { return (static_cast<std::size_t>(items) * 12 + 255) / 256 * 256; }
};

int key_bits(std::int64_t keys) {
  int bits = 1;
  while ((std::int64_t{1} << bits) < keys) ++bits;
  return bits;
}

std::size_t cub_bytes(std::int64_t items, int bits) {
  std::size_t bytes = 0;
  cuda_check(cub::DeviceRadixSort::SortPairs(
                 nullptr, bytes, static_cast<const std::uint32_t*>(nullptr), static_cast<std::uint32_t*>(nullptr),
                 static_cast<const std::int32_t*>(nullptr), static_cast<std::int32_t*>(nullptr), items, 0, bits),
             "select::cuda k-means sort: workspace");
  return bytes;
}

__global__ __launch_bounds__(kThreads) void label_kernel(const std::int32_t* __restrict__ assignment,
                                                         std::int64_t items, std::int64_t points, std::int64_t clusters,
                                                         std::uint32_t* __restrict__ keys,
                                                         std::int32_t* __restrict__ values) {
  const std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (i >= items) return;
  keys[i] = static_cast<std::uint32_t>(i / points * clusters + assignment[i]);
  values[i] = static_cast<std::int32_t>(i % points);
}

// A thread finds where one cluster begins, by bisection of its group's part.
__global__ __launch_bounds__(kThreads) void begin_kernel(const std::uint32_t* __restrict__ sorted, std::int64_t groups,
                                                         std::int64_t points, std::int64_t clusters,
                                                         std::int32_t* __restrict__ begin) {
  const std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (i >= groups * (clusters + 1)) return;
  const std::int64_t group = i / (clusters + 1);
  const std::int64_t wanted = group * clusters + i % (clusters + 1);
  std::int64_t low = 0;
  std::int64_t high = points;
  while (low < high) {
    const std::int64_t middle = (low + high) / 2;
    if (sorted[group * points + middle] < wanted)
      low = middle + 1;
    else
      high = middle;
  }
  begin[i] = static_cast<std::int32_t>(low);
}

unsigned blocks_for(std::int64_t items) { return static_cast<unsigned>((items + kThreads - 1) / kThreads); }

}  // namespace

std::size_t sort_workspace(std::int64_t groups, std::int64_t points, std::int64_t clusters) {
  return Workspace::bytes(groups * points) + cub_bytes(groups * points, key_bits(groups * clusters));
}

void sort(std::int64_t groups, std::int64_t points, std::int64_t clusters, const KMeansState& state,
          cudaStream_t stream) {
  const std::int64_t items = groups * points;
  const int bits = key_bits(groups * clusters);
  const Workspace workspace(state.workspace, items);
  label_kernel<<<blocks_for(items), kThreads, 0, stream>>>(state.assignment, items, points, clusters, workspace.keys,
                                                           workspace.values);
  cuda_check(cudaGetLastError(), "select::cuda k-means label");
  std::size_t bytes = cub_bytes(items, bits);
  cuda_check(cub::DeviceRadixSort::SortPairs(workspace.cub, bytes, workspace.keys, workspace.sorted, workspace.values,
                                             state.members, items, 0, bits, stream),
             "select::cuda k-means sort");
  begin_kernel<<<blocks_for(groups * (clusters + 1)), kThreads, 0, stream>>>(workspace.sorted, groups, points, clusters,
                                                                             state.begin);
  cuda_check(cudaGetLastError(), "select::cuda k-means begin");
}

}  // namespace attnscope::select::cuda
