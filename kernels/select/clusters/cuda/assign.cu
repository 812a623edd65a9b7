// SPDX-License-Identifier: Apache-2.0
// Every point to the cluster with the largest x · c − bias(c): a matrix product of which only the row maxima are kept.
#include <algorithm>
#include <cmath>
#include <type_traits>

#include "harness/device/cuda_check.hpp"
#include "kernels/select/clusters/cuda/launch.hpp"
#include "kernels/select/clusters/cuda/points.cuh"

namespace attnscope::select::cuda {
namespace {

using namespace device;

struct Args {
  DevicePoints points;
  Segments segments;
  const void* __restrict__ centroids;  // [groups, clusters, dim]
  const float* __restrict__ bias;      // [groups, clusters]
  std::int32_t* __restrict__ assignment;
};

/// The best cluster so far of one point. Clusters come in ascending order, so of equal ones the first stays.
struct Best {
  float score = -INFINITY;
  int cluster = 0;

  __device__ void take(float other_score, int other) {
    if (other_score > score || (other_score == score && other < cluster)) {
      score = other_score;
      cluster = other;
    }
  }
};

/// What a block works on: up to kBlockPoints points of one segment, and the clusters that they may join.
struct Tile {
  std::int64_t group;
  std::int64_t begin;
  std::int64_t end;
  int first_cluster;
  int clusters;

  __device__ Tile(const Args& args, int block_points) : group(blockIdx.z) {
    const KeyRange range = args.segments.points_of(blockIdx.y);
    begin = range.begin + std::int64_t{blockIdx.x} * block_points;
    end = min(begin + block_points, range.end);
    clusters = static_cast<int>(args.segments.clusters_each());
    first_cluster = static_cast<int>(blockIdx.y) * clusters;
  }
};

__device__ __forceinline__ void copy_async_float(std::uint32_t target, const float* source, bool valid) {
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(target), "l"(source), "r"(valid ? 4 : 0)
               : "memory");
}

constexpr int kWarps = 8;
constexpr int kThreads = kWarps * 32;
constexpr int kBlockPoints = kWarps * 32;
constexpr int kTileClusters = 64;
constexpr int kStages = 3;

// A block owns 256 points of one segment, a warp 32 of them, as fragments in registers; centroids pass by in tiles of
// 64 that all warps share. A thread keeps the best of its quarter of the clusters for four points.
// Reads every point once; centroids and biases once per block (from L2), writes one number per point.
// Shared memory: the points on their way to registers, then three stages of centroids (cp.async) in the same place.
// Shapes: any number of points and clusters; 64 or 128 channels, f16 and bf16.
// Floor: 2 · dim FLOPs per point and cluster on the tensor cores. Measured on an H200: a million points of each of 8
// heads against 65,536 clusters, 128 channels, bf16: 390 TFLOP/s.
template <typename T, int kDim>
__global__ __launch_bounds__(kThreads, 2) void assign_kernel(const __grid_constant__ Args args) {
  constexpr int kRowBytes = kDim * 2;
  constexpr int kChunks = kRowBytes / 16;
  constexpr int kSteps = kDim / 16;
  constexpr int kStageBytes = kTileClusters * kRowBytes;

  const int lane = threadIdx.x % 32;
  const int warp = threadIdx.x / 32;
  const Tile tile(args, kBlockPoints);
  if (tile.begin >= tile.end) return;

  extern __shared__ __align__(1024) unsigned char shared[];
  __shared__ float shared_bias[kStages][kTileClusters];
  const std::uint32_t base = shared_address(shared);
  const GroupPoints<T, kDim> points(args.points, tile.group);
  for (int i = threadIdx.x; i < kBlockPoints * kChunks; i += kThreads) {
    const std::int64_t point = tile.begin + i / kChunks;
    const bool valid = point < tile.end;
    copy_async(base + swizzled<kRowBytes>(i / kChunks, i % kChunks),
               points[valid ? point : tile.begin] + i % kChunks * 8, valid);
  }
  copy_commit();
  copy_wait<0>();
  __syncthreads();
  const int lane_row8 = lane & 7;
  std::uint32_t a[2][kSteps][4];
#pragma unroll
  for (int m = 0; m < 2; ++m)
#pragma unroll
    for (int s = 0; s < kSteps; ++s)
      ldmatrix(a[m][s], (base + (warp * 32 + m * 16 + (lane & 15)) * kRowBytes + (((lane >> 4) ^ lane_row8) << 4)) ^
                            static_cast<std::uint32_t>(s << 5));
  __syncthreads();  // the points are in registers: their place is free

  const std::int64_t first = tile.group * args.segments.clusters + tile.first_cluster;
  const T* centroids = static_cast<const T*>(args.centroids) + first * kDim;
  const float* bias = args.bias + first;
  const auto load_tile = [&](int number) {
    const int stage = number % kStages;
    for (int i = threadIdx.x; i < kTileClusters * kChunks; i += kThreads) {
      const int cluster = number * kTileClusters + i / kChunks;
      const bool valid = cluster < tile.clusters;
      copy_async(base + stage * kStageBytes + swizzled<kRowBytes>(i / kChunks, i % kChunks),
                 centroids + (valid ? std::int64_t{cluster} * kDim : 0) + i % kChunks * 8, valid);
    }
    if (threadIdx.x < kTileClusters) {
      const int cluster = number * kTileClusters + static_cast<int>(threadIdx.x);
      const bool valid = cluster < tile.clusters;
      copy_async_float(shared_address(&shared_bias[stage][threadIdx.x]), bias + (valid ? cluster : 0), valid);
    }
  };
  const int tiles = (tile.clusters + kTileClusters - 1) / kTileClusters;
#pragma unroll
  for (int number = 0; number < kStages - 1; ++number) {
    if (number < tiles) load_tile(number);
    copy_commit();
  }

  // Of points m · 16 + half · 8 + lane / 4 of the warp, at [m · 2 + half]. One dimension: of an array with two,
  // nvcc 13.0 runs the member initialisers for the first row only and leaves zeros in the rest.
  Best best[4];
  const std::uint32_t b_lane = (lane_row8 + (lane >> 4) * 8) * kRowBytes + ((((lane >> 3) & 1) ^ lane_row8) << 4);
  for (int number = 0; number < tiles; ++number) {
    copy_wait<kStages - 2>();
    __syncthreads();  // this tile has landed, and every warp is done with the stage refilled next
    if (number + kStages - 1 < tiles) load_tile(number + kStages - 1);
    copy_commit();

    const int stage = number % kStages;
    for (int part = 0; part < kTileClusters; part += 16) {
      const int column = part + lane % 4 * 2;  // of this thread: column + n · 8 + e
      const int left = tile.clusters - number * kTileClusters - column;
      float score[2][2][4];
#pragma unroll
      for (int n = 0; n < 2; ++n)
#pragma unroll
        for (int e = 0; e < 2; ++e) {
          const float minus_bias = n * 8 + e < left ? -shared_bias[stage][column + n * 8 + e] : -INFINITY;
#pragma unroll
          for (int m = 0; m < 2; ++m) score[m][n][e] = score[m][n][2 + e] = minus_bias;
        }
      const std::uint32_t b_tile = base + stage * kStageBytes + part * kRowBytes + b_lane;
#pragma unroll
      for (int s = 0; s < kSteps; ++s) {
        std::uint32_t b[4];
        ldmatrix(b, b_tile ^ static_cast<std::uint32_t>(s << 5));
#pragma unroll
        for (int m = 0; m < 2; ++m) {
          mma<T>(score[m][0], a[m][s], b[0], b[1]);
          mma<T>(score[m][1], a[m][s], b[2], b[3]);
        }
      }
#pragma unroll
      for (int m = 0; m < 2; ++m)
#pragma unroll
        for (int half = 0; half < 2; ++half) {
          const float(&own)[2][4] = score[m];
          const float largest =
              fmaxf(fmaxf(own[0][half * 2], own[0][half * 2 + 1]), fmaxf(own[1][half * 2], own[1][half * 2 + 1]));
          Best& so_far = best[m * 2 + half];
          if (largest <= so_far.score) continue;
#pragma unroll
          for (int n = 0; n < 2; ++n)
#pragma unroll
            for (int e = 0; e < 2; ++e) so_far.take(own[n][half * 2 + e], number * kTileClusters + column + n * 8 + e);
        }
    }
  }

#pragma unroll
  for (int m = 0; m < 2; ++m)
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      Best& own = best[m * 2 + half];
#pragma unroll
      for (int offset = 1; offset < 4; offset *= 2)
        own.take(__shfl_xor_sync(kWarpMask, own.score, offset), __shfl_xor_sync(kWarpMask, own.cluster, offset));
      const std::int64_t point = tile.begin + warp * 32 + m * 16 + half * 8 + lane / 4;
      if (lane % 4 == 0 && point < tile.end)
        args.assignment[tile.group * args.segments.points + point] = tile.first_cluster + own.cluster;
    }
}

constexpr int kCoreThreads = 128;
constexpr int kCoreTile = 32;

// On CUDA cores: a thread owns one point, in registers; a block passes centroids by in shared memory, 32 at a time.
// Shapes: any; 32, 64 or 128 channels, any dtype (the only kernel for f32 and for 32 channels).
template <typename T, int kDim>
__global__ __launch_bounds__(kCoreThreads) void assign_core_kernel(const __grid_constant__ Args args) {
  __shared__ float4 shared_centroids[kCoreTile][kDim / 4];
  __shared__ float shared_bias[kCoreTile];
  const Tile tile(args, kCoreThreads);
  if (tile.begin >= tile.end) return;
  const std::int64_t point = min(tile.begin + static_cast<int>(threadIdx.x), tile.end - 1);
  const GroupPoints<T, kDim> points(args.points, tile.group);
  float x[kDim / 4][4];
#pragma unroll
  for (int c = 0; c < kDim / 4; ++c) load_floats(points[point] + c * 4, x[c]);

  const std::int64_t first = tile.group * args.segments.clusters + tile.first_cluster;
  const T* centroids = static_cast<const T*>(args.centroids) + first * kDim;
  Best best;
  for (int begin = 0; begin < tile.clusters; begin += kCoreTile) {
    const int count = min(kCoreTile, tile.clusters - begin);
    __syncthreads();
    for (int i = threadIdx.x; i < count * kDim; i += kCoreThreads)
      reinterpret_cast<float*>(shared_centroids)[i] = static_cast<float>(centroids[std::int64_t{begin} * kDim + i]);
    if (threadIdx.x < count) shared_bias[threadIdx.x] = args.bias[first + begin + threadIdx.x];
    __syncthreads();
    for (int cluster = 0; cluster < count; ++cluster) {
      float4 sum = {0.0f, 0.0f, 0.0f, 0.0f};
#pragma unroll
      for (int c = 0; c < kDim / 4; ++c) {
        const float4 y = shared_centroids[cluster][c];
        sum = {fmaf(x[c][0], y.x, sum.x), fmaf(x[c][1], y.y, sum.y), fmaf(x[c][2], y.z, sum.z),
               fmaf(x[c][3], y.w, sum.w)};
      }
      best.take((sum.x + sum.y) + (sum.z + sum.w) - shared_bias[cluster], begin + cluster);
    }
  }
  if (tile.begin + static_cast<int>(threadIdx.x) < tile.end)
    args.assignment[tile.group * args.segments.points + point] = tile.first_cluster + best.cluster;
}

dim3 tile_grid(const Points& points, const Segments& segments, int block_points) {
  const KeyRange last = segments.points_of(segments.count - 1);  // the longest
  const std::int64_t tiles = (last.end - last.begin + block_points - 1) / block_points;
  if (segments.count > 65535 || points.groups() > 65535)
    throw InputError("select::cuda k-means: expected at most 65535 segments and 65535 groups, found " +
                     std::to_string(segments.count) + " and " + std::to_string(points.groups()));
  return dim3(static_cast<unsigned>(tiles), static_cast<unsigned>(segments.count),
              static_cast<unsigned>(points.groups()));
}

template <typename T, int kDim>
void launch(const Points& points, const Args& args, cudaStream_t stream) {
  if constexpr (std::is_same_v<T, float> || kDim < 64) {
    assign_core_kernel<T, kDim><<<tile_grid(points, args.segments, kCoreThreads), kCoreThreads, 0, stream>>>(args);
  } else {
    constexpr int kSharedBytes = std::max(kBlockPoints, kStages * kTileClusters) * kDim * 2;
    const auto kernel = assign_kernel<T, kDim>;
    cuda_check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, kSharedBytes),
               "select::cuda k-means assign: shared memory");
    kernel<<<tile_grid(points, args.segments, kBlockPoints), kThreads, kSharedBytes, stream>>>(args);
  }
  cuda_check(cudaGetLastError(), "select::cuda k-means assign");
}

}  // namespace

void assign(const Points& points, const Segments& segments, const KMeansState& state, cudaStream_t stream) {
  const Args args{.points = DevicePoints(points),
                  .segments = segments,
                  .centroids = state.centroids,
                  .bias = state.bias,
                  .assignment = state.assignment};
  with_points(points, [&]<typename T, int kDim>() { launch<T, kDim>(points, args, stream); });
}

}  // namespace attnscope::select::cuda
