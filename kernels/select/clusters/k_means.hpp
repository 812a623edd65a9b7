// SPDX-License-Identifier: Apache-2.0
// The steps of k-means over cached keys, on one backend. Both users give every point to the cluster with the largest
//   score(x, c) = x · c − bias(c),
// so that keys are read where they lie, neither centred nor copied:
//   inner product of centred points (RetroInfer):  (x − μ) · c          bias = μ · c
//   least Euclidean distance (PQCache):            −|x − c|² / 2        bias = |c|² / 2, up to |x|² / 2
// Sums are taken in an order that the shape fixes, so results repeat bit by bit; of equal scores the lowest cluster
// wins.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "harness/base/attention.hpp"
#include "kernels/core/queue.hpp"
#include "kernels/core/selection.hpp"

namespace attnscope::select {

/// What is clustered: channels [p · dim, (p + 1) · dim) of the keys [first, first + keys) of every (batch, KV head),
/// for every part p. Group g = (b · kv_heads + h) · parts + p is clustered by itself.
struct Points {
  AttentionInputs in;
  std::int64_t first = 0;
  std::int64_t keys = 0;
  std::int64_t parts = 1;

  std::int64_t heads() const { return in.shape.batch * in.shape.kv_heads; }
  std::int64_t groups() const { return heads() * parts; }
  std::int64_t dim() const { return in.shape.head_dim / parts; }
};

/// Which clusters a point may join: those of its own segment. Segments have points / count points each, the last one
/// also what is left over, and clusters / count clusters each. `clusters` is a multiple of `count`.
struct Segments {
  std::int64_t points = 0;
  std::int64_t clusters = 1;
  std::int64_t count = 1;

  constexpr KeyRange points_of(std::int64_t segment) const {
    const std::int64_t each = points / count;
    return {segment * each, segment + 1 == count ? points : (segment + 1) * each};
  }
  constexpr std::int64_t clusters_each() const { return clusters / count; }
};

/// Cluster c starts at point ⌊(c + 1/2) · points / clusters⌋ of its group.
constexpr std::int64_t seed_point(std::int64_t c, std::int64_t points, std::int64_t clusters) {
  return (2 * c + 1) * points / (2 * clusters);
}

enum class Metric { inner_product, euclidean };

/// Memory of one k-means, in the memory space of the backend. Groups are outermost everywhere.
struct KMeansState {
  float* mean = nullptr;               // μ [groups, dim]; null for Metric::euclidean
  void* centroids = nullptr;           // [groups, clusters, dim], in the dtype of K
  float* bias = nullptr;               // [groups, clusters]
  std::int32_t* assignment = nullptr;  // [groups, points], the cluster of each point
  std::int32_t* begin = nullptr;       // [groups, clusters + 1], where a cluster's members begin
  std::int32_t* members = nullptr;     // [groups, points], points by cluster, ascending within one
  void* workspace = nullptr;           // workspace_bytes(...)
};

class KMeans {
 public:
  virtual ~KMeans() = default;

  virtual std::size_t workspace_bytes(const Points& points, std::int64_t clusters) const = 0;
  /// μ, summed in float in runs of up to 1024 points and from there in double.
  virtual void average(const Points& points, const KMeansState& state) const = 0;
  /// Centroids at the seed points (less μ), and their biases.
  virtual void seed(const Points& points, std::int64_t clusters, Metric metric, const KMeansState& state) const = 0;
  virtual void assign(const Points& points, const Segments& segments, const KMeansState& state) const = 0;
  /// `begin` and `members` from `assignment`.
  virtual void sort(const Points& points, std::int64_t clusters, const KMeansState& state) const = 0;
  /// Centroids are what their members average, less μ and scaled to norm 1 for Metric::inner_product, and have a new
  /// bias. A cluster without members keeps both.
  virtual void update(const Points& points, std::int64_t clusters, Metric metric, const KMeansState& state) const = 0;
  /// out [groups, clusters, dim]: the average of each cluster's members, where `points` may name V in place of K.
  /// A cluster without members has μ plus its centroid, or 0 where `mean` is null.
  virtual void average_members(const Points& points, std::int64_t clusters, const KMeansState& state,
                               void* out) const = 0;
};

std::unique_ptr<const KMeans> make_k_means(const Queue& queue);
std::unique_ptr<const KMeans> make_cpu_k_means();
/// Throws MachineError in a build without CUDA.
std::unique_ptr<const KMeans> make_cuda_k_means(void* stream);

}  // namespace attnscope::select
