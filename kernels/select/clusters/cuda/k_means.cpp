// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "kernels/select/clusters/cuda/launch.hpp"

namespace attnscope::select {
namespace {

class CudaKMeans final : public KMeans {
 public:
  explicit CudaKMeans(void* stream) : stream_(static_cast<cudaStream_t>(stream)) {}

  std::size_t workspace_bytes(const Points& points, std::int64_t clusters) const override {
    const std::int64_t runs = (points.keys + cuda::kRunPoints - 1) / cuda::kRunPoints;
    return std::max(cuda::sort_workspace(points.groups(), points.keys, clusters),
                    static_cast<std::size_t>(points.groups() * runs * points.dim()) * sizeof(float));
  }
  void average(const Points& points, const KMeansState& state) const override {
    cuda::average(points, state.mean, static_cast<float*>(state.workspace), stream_);
  }
  void seed(const Points& points, std::int64_t clusters, Metric metric, const KMeansState& state) const override {
    cuda::seed(points, clusters, metric, state, stream_);
  }
  void assign(const Points& points, const Segments& segments, const KMeansState& state) const override {
    cuda::assign(points, segments, state, stream_);
  }
  void sort(const Points& points, std::int64_t clusters, const KMeansState& state) const override {
    cuda::sort(points.groups(), points.keys, clusters, state, stream_);
  }
  void update(const Points& points, std::int64_t clusters, Metric metric, const KMeansState& state) const override {
    cuda::update(points, clusters, metric, state, stream_);
  }
  void average_members(const Points& points, std::int64_t clusters, const KMeansState& state,
                       void* out) const override {
    cuda::average_members(points, clusters, state, out, stream_);
  }

 private:
  const cudaStream_t stream_;
};

}  // namespace

std::unique_ptr<const KMeans> make_cuda_k_means(void* stream) { return std::make_unique<CudaKMeans>(stream); }

}  // namespace attnscope::select
