// SPDX-License-Identifier: Apache-2.0
// Averages of points: of a whole group, and of each cluster's members; and the centroids made of them. Every sum has
// one order, which only the shape decides.
#include <cmath>

#include "harness/device/cuda_check.hpp"
#include "kernels/select/clusters/cuda/launch.hpp"
#include "kernels/select/clusters/cuda/points.cuh"

namespace attnscope::select::cuda {
namespace {

using namespace device;

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / 32;

struct AverageArgs {
  DevicePoints points;
  std::int64_t count;  // points per group
  std::int64_t runs;
  float* __restrict__ partials;  // [groups, runs, dim]
  float* __restrict__ mean;      // [groups, dim]
};

// A block owns one run of 1024 points, a thread one channel of every (256 / dim)-th of them. Reads the points once.
template <typename T, int kDim>
__global__ __launch_bounds__(kThreads) void sum_runs_kernel(const __grid_constant__ AverageArgs args) {
  constexpr int kRows = kThreads / kDim;
  __shared__ float sums[kRows][kDim];
  const std::int64_t group = blockIdx.y;
  const GroupPoints<T, kDim> points(args.points, group);
  const int channel = threadIdx.x % kDim;
  const int row = threadIdx.x / kDim;
  const std::int64_t begin = std::int64_t{blockIdx.x} * kRunPoints;
  const std::int64_t end = min(begin + kRunPoints, args.count);
  float sum = 0.0f;
#pragma unroll 8
  for (std::int64_t i = begin + row; i < end; i += kRows) sum += static_cast<float>(points[i][channel]);
  sums[row][channel] = sum;
  __syncthreads();
  if (row > 0) return;
#pragma unroll
  for (int r = 1; r < kRows; ++r) sum += sums[r][channel];
  args.partials[(group * args.runs + blockIdx.x) * kDim + channel] = sum;
}

// A block owns one group, a thread one channel.
template <int kDim>
__global__ __launch_bounds__(kDim) void merge_runs_kernel(const __grid_constant__ AverageArgs args) {
  const std::int64_t group = blockIdx.x;
  double sum = 0.0;
#pragma unroll 8
  for (std::int64_t run = 0; run < args.runs; ++run)
    sum += args.partials[(group * args.runs + run) * kDim + threadIdx.x];
  args.mean[group * kDim + threadIdx.x] = static_cast<float>(sum / static_cast<double>(args.count));
}

/// How a warp holds a vector: lane l has channels [l · kOwn, (l + 1) · kOwn).
template <int kDim>
struct LaneVector {
  static constexpr int kOwn = kDim / 32;
  float x[kOwn] = {};

  template <typename T>
  __device__ void load(const T* source) {
    load_floats(source + threadIdx.x % 32 * kOwn, x);
  }
  template <typename T>
  __device__ void store(T* target) const {
#pragma unroll
    for (int e = 0; e < kOwn; ++e) target[threadIdx.x % 32 * kOwn + e] = static_cast<T>(x[e]);
  }
  __device__ void add(const LaneVector& other, float factor) {
#pragma unroll
    for (int e = 0; e < kOwn; ++e) x[e] = fmaf(factor, other.x[e], x[e]);
  }
  __device__ void scale(float factor) {
#pragma unroll
    for (int e = 0; e < kOwn; ++e) x[e] *= factor;
  }
  __device__ float dot(const LaneVector& other) const {
    float sum = 0.0f;
#pragma unroll
    for (int e = 0; e < kOwn; ++e) sum = fmaf(x[e], other.x[e], sum);
#pragma unroll
    for (int offset = 16; offset > 0; offset /= 2) sum += __shfl_xor_sync(kWarpMask, sum, offset);
    return sum;
  }
};

struct CentroidArgs {
  DevicePoints points;
  std::int64_t count;     // points per group
  std::int64_t clusters;  // per group
  std::int64_t groups;
  Metric metric;
  const float* __restrict__ mean;
  const std::int32_t* __restrict__ begin;
  const std::int32_t* __restrict__ members;
  void* centroids;
  float* bias;
  void* out;
};

/// Writes the centroid at `cluster` (over all groups) and the bias that goes with what was stored.
template <typename T, int kDim>
__device__ void store_centroid(const CentroidArgs& args, std::int64_t cluster, LaneVector<kDim> centroid,
                               const LaneVector<kDim>& mean) {
  T* target = static_cast<T*>(args.centroids) + cluster * kDim;
  centroid.store(target);
#pragma unroll
  for (float& x : centroid.x) x = static_cast<float>(static_cast<T>(x));
  const float bias = args.metric == Metric::inner_product ? mean.dot(centroid) : 0.5f * centroid.dot(centroid);
  if (threadIdx.x % 32 == 0) args.bias[cluster] = bias;
}

template <int kDim>
__device__ LaneVector<kDim> group_mean(const CentroidArgs& args, std::int64_t group) {
  LaneVector<kDim> mean;
  if (args.mean) mean.load(args.mean + group * kDim);
  return mean;
}

// A warp owns one cluster.
template <typename T, int kDim>
__global__ __launch_bounds__(kThreads) void seed_kernel(const __grid_constant__ CentroidArgs args) {
  const std::int64_t cluster = std::int64_t{blockIdx.x} * kWarps + threadIdx.x / 32;
  if (cluster >= args.groups * args.clusters) return;
  const std::int64_t group = cluster / args.clusters;
  const LaneVector<kDim> mean = group_mean<kDim>(args, group);
  LaneVector<kDim> centroid;
  centroid.load(
      GroupPoints<T, kDim>(args.points, group)[seed_point(cluster % args.clusters, args.count, args.clusters)]);
  centroid.add(mean, -1.0f);
  store_centroid<T>(args, cluster, centroid, mean);
}

// A team of kTeam warps owns one cluster: warp w sums members w, w + kTeam, ..., and the first warp adds up the team.
// Reads each member's row once, by the list; writes the centroid and its bias, or (kOut) the plain average.
// Floor: the rows read. kTeam is 1 for clusters of some tens of members and 8 for those of thousands.
template <typename T, int kDim, int kTeam, bool kOut>
__global__ __launch_bounds__(kThreads) void members_kernel(const __grid_constant__ CentroidArgs args) {
  __shared__ float4 sums[kWarps][kDim / 4];
  const int warp = threadIdx.x / 32;
  const int member_of_team = warp % kTeam;
  const std::int64_t cluster = (std::int64_t{blockIdx.x} * kWarps + warp) / kTeam;
  const bool owned = cluster < args.groups * args.clusters;
  const std::int64_t group = owned ? cluster / args.clusters : 0;
  const std::int32_t* ends = args.begin + group * (args.clusters + 1) + cluster % args.clusters;
  const int begin = owned ? ends[0] : 0;
  const int end = owned ? ends[1] : 0;

  const GroupPoints<T, kDim> points(args.points, group);
  const std::int32_t* members = args.members + group * args.count;
  LaneVector<kDim> average;
#pragma unroll 4
  for (int i = begin + member_of_team; i < end; i += kTeam) {
    LaneVector<kDim> x;
    x.load(points[members[i]]);
    average.add(x, 1.0f);
  }
  if constexpr (kTeam > 1) {
    average.store(reinterpret_cast<float*>(sums[warp]));
    __syncthreads();
    if (member_of_team > 0) return;
#pragma unroll
    for (int w = 1; w < kTeam; ++w) {
      LaneVector<kDim> other;
      other.load(reinterpret_cast<const float*>(sums[warp + w]));
      average.add(other, 1.0f);
    }
  }
  if (!owned) return;

  const LaneVector<kDim> mean = group_mean<kDim>(args, group);
  if (begin == end) {
    if (!kOut) return;
    if (args.mean) {
      average.load(static_cast<const T*>(args.centroids) + cluster * kDim);
      average.add(mean, 1.0f);
    }
  } else {
    average.scale(1.0f / static_cast<float>(end - begin));
  }
  if constexpr (kOut) {
    average.store(static_cast<T*>(args.out) + cluster * kDim);
  } else {
    if (args.metric == Metric::inner_product) {
      average.add(mean, -1.0f);
      const float norm = sqrtf(average.dot(average));
      average.scale(norm > 0.0f ? 1.0f / norm : 0.0f);
    }
    store_centroid<T>(args, cluster, average, mean);
  }
}

CentroidArgs centroid_args(const Points& points, std::int64_t clusters, Metric metric, const KMeansState& state) {
  return {.points = DevicePoints(points),
          .count = points.keys,
          .clusters = clusters,
          .groups = points.groups(),
          .metric = metric,
          .mean = state.mean,
          .begin = state.begin,
          .members = state.members,
          .centroids = state.centroids,
          .bias = state.bias,
          .out = nullptr};
}

template <bool kOut>
void launch_members(const Points& points, const CentroidArgs& args, cudaStream_t stream) {
  constexpr std::int64_t kManyMembers = 256;  // per cluster, on average
  const bool team = points.keys / args.clusters >= kManyMembers;
  const std::int64_t warps = args.groups * args.clusters * (team ? kWarps : 1);
  const auto blocks = static_cast<unsigned>((warps + kWarps - 1) / kWarps);
  with_points(points, [&]<typename T, int kDim>() {
    if (team)
      members_kernel<T, kDim, kWarps, kOut><<<blocks, kThreads, 0, stream>>>(args);
    else
      members_kernel<T, kDim, 1, kOut><<<blocks, kThreads, 0, stream>>>(args);
  });
  cuda_check(cudaGetLastError(), "select::cuda k-means members");
}

}  // namespace

void average(const Points& points, float* mean, float* partials, cudaStream_t stream) {
  const AverageArgs args{.points = DevicePoints(points),
                         .count = points.keys,
                         .runs = (points.keys + kRunPoints - 1) / kRunPoints,
                         .partials = partials,
                         .mean = mean};
  const dim3 runs(static_cast<unsigned>(args.runs), static_cast<unsigned>(points.groups()));
  with_points(points, [&]<typename T, int kDim>() {
    sum_runs_kernel<T, kDim><<<runs, kThreads, 0, stream>>>(args);
    merge_runs_kernel<kDim><<<runs.y, kDim, 0, stream>>>(args);
  });
  cuda_check(cudaGetLastError(), "select::cuda k-means average");
}

void seed(const Points& points, std::int64_t clusters, Metric metric, const KMeansState& state, cudaStream_t stream) {
  const CentroidArgs args = centroid_args(points, clusters, metric, state);
  const auto blocks = static_cast<unsigned>((args.groups * clusters + kWarps - 1) / kWarps);
  with_points(points, [&]<typename T, int kDim>() { seed_kernel<T, kDim><<<blocks, kThreads, 0, stream>>>(args); });
  cuda_check(cudaGetLastError(), "select::cuda k-means seed");
}

void update(const Points& points, std::int64_t clusters, Metric metric, const KMeansState& state, cudaStream_t stream) {
  launch_members<false>(points, centroid_args(points, clusters, metric, state), stream);
}

void average_members(const Points& points, std::int64_t clusters, const KMeansState& state, void* out,
                     cudaStream_t stream) {
  CentroidArgs args = centroid_args(points, clusters, Metric::inner_product, state);
  args.out = out;
  launch_members<true>(points, args, stream);
}

}  // namespace attnscope::select::cuda
