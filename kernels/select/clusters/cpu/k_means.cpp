// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "harness/base/half.hpp"
#include "kernels/select/clusters/cpu/rows.hpp"

namespace attnscope::select {
namespace {

constexpr std::int64_t kRunPoints = 1024;   // summed in float
constexpr std::int64_t kTaskPoints = 4096;  // assigned by one thread at a time

double dot(const std::vector<float>& x, const float* y) {
  double sum = 0;
  for (std::size_t c = 0; c < x.size(); ++c) sum += double{x[c]} * y[c];
  return sum;
}

/// Rounds a centroid to where it is stored and works out the bias that goes with what was stored.
void store_centroid(const Points& points, std::int64_t clusters, Metric metric, const KMeansState& state,
                    std::int64_t group, std::int64_t cluster, std::vector<float>& centroid) {
  const std::int64_t dim = points.dim(), at = group * clusters + cluster;
  for (std::int64_t c = 0; c < dim; ++c) {
    store_element(state.centroids, points.in.shape.dtype, at * dim + c, centroid[c]);
    centroid[c] = load_element(state.centroids, points.in.shape.dtype, at * dim + c);
  }
  state.bias[at] = static_cast<float>(metric == Metric::inner_product ? dot(centroid, state.mean + group * dim)
                                                                      : dot(centroid, centroid.data()) / 2);
}

void subtract_mean(const KMeansState& state, std::int64_t group, std::vector<float>& x) {
  if (state.mean == nullptr) return;
  const float* mean = state.mean + group * std::ssize(x);
  for (std::int64_t c = 0; c < std::ssize(x); ++c) x[c] -= mean[c];
}

/// The members of one cluster.
struct Members {
  const std::int32_t* points;
  std::int64_t count;

  Members(const Points& all, std::int64_t clusters, const KMeansState& state, std::int64_t group, std::int64_t cluster)
      : points(state.members + group * all.keys + state.begin[group * (clusters + 1) + cluster]),
        count(state.begin[group * (clusters + 1) + cluster + 1] - state.begin[group * (clusters + 1) + cluster]) {}
  void average(const Points& all, std::int64_t group, std::vector<float>& out) const {
    sum_rows(all, group, points, 0, count, out.data());
    for (float& x : out) x /= static_cast<float>(count);
  }
};

class CpuKMeans final : public KMeans {
 public:
  std::size_t workspace_bytes(const Points&, std::int64_t) const override { return 0; }

  void average(const Points& points, const KMeansState& state) const override {
    const std::int64_t dim = points.dim();
#pragma omp parallel for schedule(dynamic)
    for (std::int64_t group = 0; group < points.groups(); ++group) {
      std::vector<float> run(dim);
      std::vector<double> sum(dim);
      for (std::int64_t begin = 0; begin < points.keys; begin += kRunPoints) {
        sum_rows(points, group, nullptr, begin, std::min(kRunPoints, points.keys - begin), run.data());
        for (std::int64_t c = 0; c < dim; ++c) sum[c] += run[c];
      }
      for (std::int64_t c = 0; c < dim; ++c)
        state.mean[group * dim + c] = static_cast<float>(sum[c] / static_cast<double>(points.keys));
    }
  }

  void seed(const Points& points, std::int64_t clusters, Metric metric, const KMeansState& state) const override {
#pragma omp parallel for schedule(static)
    for (std::int64_t at = 0; at < points.groups() * clusters; ++at) {
      const std::int64_t group = at / clusters, cluster = at % clusters;
      std::vector<float> centroid(points.dim());
      sum_rows(points, group, nullptr, seed_point(cluster, points.keys, clusters), 1, centroid.data());
      subtract_mean(state, group, centroid);
      store_centroid(points, clusters, metric, state, group, cluster, centroid);
    }
  }

  void assign(const Points& points, const Segments& segments, const KMeansState& state) const override {
    struct Task {
      std::int64_t group, segment;
      KeyRange range;
    };
    std::vector<Task> tasks;
    for (std::int64_t group = 0; group < points.groups(); ++group)
      for (std::int64_t segment = 0; segment < segments.count; ++segment) {
        const KeyRange all = segments.points_of(segment);
        for (std::int64_t begin = all.begin; begin < all.end; begin += kTaskPoints)
          tasks.push_back({group, segment, {begin, std::min(begin + kTaskPoints, all.end)}});
      }
    const std::int64_t each = segments.clusters_each();
#pragma omp parallel for schedule(dynamic)
    for (std::int64_t t = 0; t < std::ssize(tasks); ++t)
      assign_rows(points, tasks[t].group, tasks[t].range, tasks[t].segment * each, each, segments.clusters, state);
  }

  void sort(const Points& points, std::int64_t clusters, const KMeansState& state) const override {
#pragma omp parallel for schedule(dynamic)
    for (std::int64_t group = 0; group < points.groups(); ++group) {
      const std::int32_t* assigned = state.assignment + group * points.keys;
      std::int32_t* begin = state.begin + group * (clusters + 1);
      std::fill_n(begin, clusters + 1, 0);
      for (std::int64_t i = 0; i < points.keys; ++i) ++begin[assigned[i] + 1];
      std::partial_sum(begin, begin + clusters + 1, begin);
      std::vector<std::int32_t> next(begin, begin + clusters);
      for (std::int64_t i = 0; i < points.keys; ++i)
        state.members[group * points.keys + next[assigned[i]]++] = static_cast<std::int32_t>(i);
    }
  }

  void update(const Points& points, std::int64_t clusters, Metric metric, const KMeansState& state) const override {
#pragma omp parallel for schedule(dynamic, 64)
    for (std::int64_t at = 0; at < points.groups() * clusters; ++at) {
      const std::int64_t group = at / clusters, cluster = at % clusters;
      const Members members(points, clusters, state, group, cluster);
      if (members.count == 0) continue;
      std::vector<float> centroid(points.dim());
      members.average(points, group, centroid);
      if (metric == Metric::inner_product) {
        subtract_mean(state, group, centroid);
        const double norm = std::sqrt(dot(centroid, centroid.data()));
        for (float& x : centroid) x = norm > 0 ? static_cast<float>(x / norm) : 0.0f;
      }
      store_centroid(points, clusters, metric, state, group, cluster, centroid);
    }
  }

  void average_members(const Points& points, std::int64_t clusters, const KMeansState& state,
                       void* out) const override {
    const std::int64_t dim = points.dim();
    const Dtype dtype = points.in.shape.dtype;
#pragma omp parallel for schedule(dynamic, 64)
    for (std::int64_t at = 0; at < points.groups() * clusters; ++at) {
      const std::int64_t group = at / clusters;
      const Members members(points, clusters, state, group, at % clusters);
      std::vector<float> average(dim);
      if (members.count > 0)
        members.average(points, group, average);
      else if (state.mean)
        for (std::int64_t c = 0; c < dim; ++c)
          average[c] = state.mean[group * dim + c] + load_element(state.centroids, dtype, at * dim + c);
      for (std::int64_t c = 0; c < dim; ++c) store_element(out, dtype, at * dim + c, average[c]);
    }
  }
};

}  // namespace

std::unique_ptr<const KMeans> make_cpu_k_means() { return std::make_unique<CpuKMeans>(); }

}  // namespace attnscope::select
