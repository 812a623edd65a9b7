// SPDX-License-Identifier: Apache-2.0
#include "kernels/select/clusters.hpp"

namespace attnscope::select {
namespace {

KMeansState state_of(const Clusters& clusters) {
  return {.mean = clusters.mean.as<float>(),
          .centroids = clusters.directions.data(),
          .bias = clusters.bias.as<float>(),
          .assignment = clusters.assignment.as<std::int32_t>(),
          .begin = clusters.begin.as<std::int32_t>(),
          .members = clusters.members.as<std::int32_t>(),
          .workspace = clusters.workspace.data()};
}

}  // namespace

std::unique_ptr<const KMeans> make_k_means(const Queue& queue) {
  return queue.space() == Space::device ? make_cuda_k_means(queue.stream) : make_cpu_k_means();
}

std::unique_ptr<const ClusterLists> make_cluster_lists(const Queue& queue) {
  return queue.space() == Space::device ? make_cuda_cluster_lists(queue.stream) : make_cpu_cluster_lists();
}

Clusters::Clusters(const Queue& queue, const Points& points, const ClusterPlan& plan) {
  const Space space = queue.space();
  const std::int64_t heads = points.heads(), dim = points.dim();
  const std::size_t index_bytes = heads * plan.clusters * dim * size_of(points.in.shape.dtype);
  mean = Buffer(space, heads * dim * sizeof(float));
  directions = Buffer(space, index_bytes);
  bias = Buffer(space, heads * plan.clusters * sizeof(float));
  assignment = Buffer(space, heads * plan.keys * sizeof(std::int32_t));
  begin = Buffer(space, heads * (plan.clusters + 1) * sizeof(std::int32_t));
  members = Buffer(space, heads * plan.keys * sizeof(std::int32_t));
  centroids = Buffer(space, index_bytes);
  values = Buffer(space, index_bytes);
  workspace = Buffer(space, make_k_means(queue)->workspace_bytes(points, plan.clusters));
}

void build_clusters(const Queue& queue, const Points& points, const ClusterPlan& plan, const Clusters& clusters) {
  const auto k_means = make_k_means(queue);
  const KMeansState state = state_of(clusters);
  k_means->average(points, state);
  k_means->seed(points, plan.clusters, Metric::inner_product, state);
  for (std::int64_t round = 0; round < plan.iterations; ++round) {
    k_means->assign(points, plan.segments_of(round), state);
    k_means->sort(points, plan.clusters, state);
    if (round + 1 < plan.iterations) k_means->update(points, plan.clusters, Metric::inner_product, state);
  }
  k_means->average_members(points, plan.clusters, state, clusters.centroids.data());
  Points values = points;
  values.in.k = points.in.v;
  KMeansState without_mean = state;
  without_mean.mean = nullptr;
  k_means->average_members(values, plan.clusters, without_mean, clusters.values.data());
}

}  // namespace attnscope::select
