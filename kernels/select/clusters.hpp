// SPDX-License-Identifier: Apache-2.0
// Clusters of cached keys and what stands for them: RetroInfer's index (arXiv 2505.02922).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "harness/base/attention.hpp"
#include "harness/device/buffer.hpp"
#include "kernels/core/queue.hpp"
#include "kernels/select/clusters/k_means.hpp"
#include "kernels/select/select.hpp"

namespace attnscope::select {

/// Spherical k-means of the keys [first, first + keys) of every (batch, KV head), each less their mean μ: centroids
/// start at evenly spaced keys, `iterations` rounds give every key to the centroid with the largest inner product, and
/// after all rounds but the last centroids are scaled to norm 1. Keys join clusters of their own segment; in the last
/// round, if `global`, any cluster, at keys · clusters products in place of keys · clusters / segments.
struct ClusterPlan {
  std::int64_t first = 0;
  std::int64_t keys = 0;
  std::int64_t clusters = 8;
  std::int64_t segments = 1;
  std::int64_t iterations = 10;
  bool global = false;

  /// Which clusters keys may join in a round, counted from 0.
  Segments segments_of(std::int64_t round) const {
    return {.points = keys, .clusters = clusters, .count = global && round + 1 == iterations ? 1 : segments};
  }
};

/// The index, in one memory space. heads = batch · kv_heads; keys are numbered from the first clustered one.
struct Clusters {
  Clusters(const Queue& queue, const Points& points, const ClusterPlan& plan);

  Buffer mean;        // float [heads, head_dim]
  Buffer directions;  // K's dtype [heads, clusters, head_dim]: centroids of centred keys, as the last round used them
  Buffer bias;        // float [heads, clusters], mean · direction
  Buffer assignment;  // int32 [heads, keys]
  Buffer begin;       // int32 [heads, clusters + 1]
  Buffer members;     // int32 [heads, keys], keys by cluster, ascending within one
  Buffer centroids;   // K's dtype [heads, clusters, head_dim]: the mean of a cluster's keys, not centred
  Buffer values;      // K's dtype [heads, clusters, head_dim]: the mean of a cluster's values
  Buffer workspace;
};

void build_clusters(const Queue& queue, const Points& points, const ClusterPlan& plan, const Clusters& clusters);

/// What decoding makes of the clusters that a query ranks first. Rows are (batch, KV head); `begin` and `members` are
/// those of Clusters; lists name clusters or keys, ascending.
class ClusterLists {
 public:
  virtual ~ClusterLists() = default;

  /// scores[r, c] = −infinity for every cluster without members.
  virtual void mask_empty(const ClusterPlan& plan, const std::int32_t* begin, const Scores& scores) const = 0;

  virtual std::size_t members_workspace(std::int64_t rows, std::int64_t kv_len) const = 0;
  /// The keys below plan.first, the members of the listed clusters, and the keys from plan.first + plan.keys on. `keys`
  /// has the capacity kv_len.
  virtual void members(const ClusterPlan& plan, std::int64_t rows, std::int64_t kv_len, const std::int32_t* begin,
                       const std::int32_t* members, const Lists& listed, const Lists& keys, void* workspace) const = 0;

  /// What `wider` lists beyond `listed`, which is a part of it, leaving out clusters without members; and ln(size) of
  /// each, parallel to out.indices.
  virtual void remaining(const ClusterPlan& plan, std::int64_t rows, const std::int32_t* begin, const Lists& listed,
                         const Lists& wider, const Lists& out, float* log_size) const = 0;
};

std::unique_ptr<const ClusterLists> make_cluster_lists(const Queue& queue);
std::unique_ptr<const ClusterLists> make_cpu_cluster_lists();
/// Throws MachineError in a build without CUDA.
std::unique_ptr<const ClusterLists> make_cuda_cluster_lists(void* stream);

}  // namespace attnscope::select
