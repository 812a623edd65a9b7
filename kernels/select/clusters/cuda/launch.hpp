// SPDX-License-Identifier: Apache-2.0
// The launchers behind the CUDA steps of k-means; what each computes is said in k_means.hpp.
#pragma once

#include <cuda_runtime_api.h>

#include "kernels/select/clusters/k_means.hpp"

namespace attnscope::select::cuda {

/// Runs of points whose sums are added up in float.
inline constexpr std::int64_t kRunPoints = 1024;

/// `partials` is float [groups, runs of kRunPoints, dim].
void average(const Points& points, float* mean, float* partials, cudaStream_t stream);
void seed(const Points& points, std::int64_t clusters, Metric metric, const KMeansState& state, cudaStream_t stream);
void assign(const Points& points, const Segments& segments, const KMeansState& state, cudaStream_t stream);
void update(const Points& points, std::int64_t clusters, Metric metric, const KMeansState& state, cudaStream_t stream);
void average_members(const Points& points, std::int64_t clusters, const KMeansState& state, void* out,
                     cudaStream_t stream);

std::size_t sort_workspace(std::int64_t groups, std::int64_t points, std::int64_t clusters);
void sort(std::int64_t groups, std::int64_t points, std::int64_t clusters, const KMeansState& state,
          cudaStream_t stream);

}  // namespace attnscope::select::cuda
