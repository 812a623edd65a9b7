// SPDX-License-Identifier: Apache-2.0
#include "kernels/select/product_codes.hpp"

namespace attnscope::select {

std::unique_ptr<const CodeEngine> make_code_engine(const Queue& queue) {
  return queue.space() == Space::device ? make_cuda_code_engine(queue.stream) : make_cpu_code_engine();
}

ProductCodes::ProductCodes(const Queue& queue, const Points& points, const CodePlan& plan) {
  const Space space = queue.space();
  const std::int64_t centroid_count = points.groups() * plan.centroids();
  centroids = Buffer(space, centroid_count * points.dim() * size_of(points.in.shape.dtype));
  codes = Buffer(space, points.heads() * plan.keys * sizeof(std::uint16_t));
  counts = Buffer(space, points.heads() * plan.codes() * sizeof(std::int32_t));
  bias = Buffer(space, centroid_count * sizeof(float));
  assignment = Buffer(space, points.groups() * plan.keys * sizeof(std::int32_t));
  begin = Buffer(space, points.groups() * (plan.centroids() + 1) * sizeof(std::int32_t));
  members = Buffer(space, points.groups() * plan.keys * sizeof(std::int32_t));
  workspace = Buffer(space, make_k_means(queue)->workspace_bytes(points, plan.centroids()));
}

void build_codes(const Queue& queue, const Points& points, const CodePlan& plan, const ProductCodes& index) {
  const auto k_means = make_k_means(queue);
  const KMeansState state{.mean = nullptr,
                          .centroids = index.centroids.data(),
                          .bias = index.bias.as<float>(),
                          .assignment = index.assignment.as<std::int32_t>(),
                          .begin = index.begin.as<std::int32_t>(),
                          .members = index.members.as<std::int32_t>(),
                          .workspace = index.workspace.data()};
  const Segments everywhere{.points = plan.keys, .clusters = plan.centroids(), .count = 1};
  k_means->seed(points, plan.centroids(), Metric::euclidean, state);
  for (std::int64_t round = 0; round < plan.iterations; ++round) {
    k_means->assign(points, everywhere, state);
    k_means->sort(points, plan.centroids(), state);
    k_means->update(points, plan.centroids(), Metric::euclidean, state);
  }
  k_means->assign(points, everywhere, state);
  make_code_engine(queue)->encode(plan, points.heads(), index);
}

}  // namespace attnscope::select
