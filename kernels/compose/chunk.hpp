// SPDX-License-Identifier: Apache-2.0
// How a problem is cut so that its scores, one float per visible key and row, never need more than a bound. Every chunk
// is contiguous in memory and therefore a problem of its own that engines run as it is.
#pragma once

#include <cstdint>

#include "harness/method/method.hpp"

namespace attnscope::compose {

/// Consecutive query rows of one (batch, query head) with the keys they can see, or the whole problem.
struct Chunk {
  AttentionInputs inputs;
  AttentionOutputs outputs;
  std::int64_t first_row = 0;  // in the whole problem's order: (b · q_heads + h) · q_len + i
};

/// The whole problem is one chunk while rows · kv_len floats fit into `score_bytes`, and always when q_len = 1: scores
/// are then 4 / (2 · element size · head_dim) · group() of K and V, at any length. Otherwise each query head is cut.
class ChunkPlan {
 public:
  ChunkPlan(const Task& task, std::int64_t score_bytes);

  std::int64_t size() const { return size_; }
  /// Rows of the largest chunk.
  std::int64_t max_rows() const;
  /// Valid for index in [0, size()); O(1).
  Chunk operator[](std::int64_t index) const;
  /// The chunk that holds `row`.
  std::int64_t index_of(const Row& row) const;

 private:
  AttentionInputs inputs_;
  AttentionOutputs outputs_;
  std::int64_t queries_ = 0;          // query rows per chunk, the last of a head may have fewer
  std::int64_t chunks_per_head_ = 0;  // 0: the whole problem is one chunk
  std::int64_t size_ = 1;
};

}  // namespace attnscope::compose
