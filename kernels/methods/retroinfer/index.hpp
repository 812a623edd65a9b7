// SPDX-License-Identifier: Apache-2.0
// RetroInfer's index as the definition sees it: made in double, or read from what a backend built and then doubted.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "kernels/methods/retroinfer/zones.hpp"

namespace attnscope::retroinfer {

/// heads = batch · kv_heads; keys are numbered from the first clustered one. Vectors have the dtype of K: an index
/// keeps what a cache keeps.
struct Index {
  std::vector<float> mean;                         // [heads, head_dim]
  std::vector<std::byte> directions;               // [heads, clusters, head_dim], what the last round assigned by
  std::vector<std::byte> centroids;                // [heads, clusters, head_dim]
  std::vector<std::byte> values;                   // [heads, clusters, head_dim]
  std::vector<std::int32_t> assignment;            // [heads, keys]
  std::vector<std::vector<std::int32_t>> members;  // [heads · clusters], ascending

  // Clusters that a backend ranked first, ascending; empty when it didn't say.
  std::vector<std::int32_t> retrieved;  // [heads, retrieved]
  std::vector<std::int32_t> ranked;     // [heads, ranked], the retrieved ones among them
};

/// The k-means itself, in obvious loops.
Index make_index(const AttentionInputs& host, const Zones& zones);

/// From Execution::built. Throws Error when a tensor is missing or has not the bytes that it must have.
Index read_index(const AttentionInputs& host, const Zones& zones, std::span<const SideTensor> built);

/// What is wrong with a built index, as far as some keys, clusters and channels of `head` tell, which `sample` picks:
/// means, assignments to the best direction, centroids and values, each up to rounding. Empty when nothing is.
std::string index_fault(const AttentionInputs& host, const Zones& zones, const Index& index, std::int64_t head,
                        std::int64_t sample);

}  // namespace attnscope::retroinfer
