// SPDX-License-Identifier: Apache-2.0
// Clusters on the GPU in a build without CUDA: it says so.
#include "harness/base/error.hpp"
#include "kernels/select/clusters.hpp"

namespace attnscope::select {

constexpr const char* kWithoutCuda = "this build has no CUDA";

std::unique_ptr<const KMeans> make_cuda_k_means(void*) { throw MachineError(kWithoutCuda); }
std::unique_ptr<const ClusterLists> make_cuda_cluster_lists(void*) { throw MachineError(kWithoutCuda); }

}  // namespace attnscope::select
