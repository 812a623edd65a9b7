// SPDX-License-Identifier: Apache-2.0
#include "kernels/compose/chunk.hpp"

#include <algorithm>
#include <cstddef>

namespace attnscope::compose {
namespace {

// Whole tiles of query rows where there is room for them.
constexpr std::int64_t kQueryTile = 64;

const void* advance(const void* data, std::int64_t elements, Dtype dtype) {
  return static_cast<const std::byte*>(data) + elements * size_of(dtype);
}

void* advance(void* data, std::int64_t elements, Dtype dtype) {
  return static_cast<std::byte*>(data) + elements * size_of(dtype);
}

}  // namespace

ChunkPlan::ChunkPlan(const Task& task, std::int64_t score_bytes) : inputs_(task.inputs), outputs_(task.outputs) {
  const Shape& shape = inputs_.shape;
  const std::int64_t rows_that_fit = score_bytes / (shape.kv_len * std::int64_t{sizeof(float)});
  if (shape.q_len == 1 || shape.rows() <= rows_that_fit) return;
  queries_ = std::clamp(rows_that_fit, std::int64_t{1}, shape.q_len);
  if (queries_ > kQueryTile) queries_ -= queries_ % kQueryTile;
  chunks_per_head_ = (shape.q_len + queries_ - 1) / queries_;
  size_ = shape.batch * shape.q_heads * chunks_per_head_;
}

std::int64_t ChunkPlan::max_rows() const { return chunks_per_head_ == 0 ? inputs_.shape.rows() : queries_; }

Chunk ChunkPlan::operator[](std::int64_t index) const {
  if (chunks_per_head_ == 0) return {.inputs = inputs_, .outputs = outputs_};
  const Shape& whole = inputs_.shape;
  const std::int64_t head = index / chunks_per_head_;  // b · q_heads + h
  const std::int64_t first = index % chunks_per_head_ * queries_;
  const std::int64_t count = std::min(queries_, whole.q_len - first);
  const std::int64_t row = head * whole.q_len + first;
  // b · kv_heads + h / group, because q_heads = kv_heads · group.
  const std::int64_t kv_offset = head / whole.group() * whole.kv_len * whole.head_dim;

  Chunk chunk{.inputs = inputs_, .outputs = outputs_, .first_row = row};
  Shape& shape = chunk.inputs.shape;
  shape.batch = shape.q_heads = shape.kv_heads = 1;
  shape.q_len = count;
  // The keys end where the last row's view ends, which keeps the rows bottom-right aligned.
  shape.kv_len = whole.visible(first + count - 1);
  chunk.inputs.q = advance(inputs_.q, row * whole.head_dim, whole.dtype);
  chunk.inputs.k = advance(inputs_.k, kv_offset, whole.dtype);
  chunk.inputs.v = advance(inputs_.v, kv_offset, whole.dtype);
  chunk.outputs.o = advance(outputs_.o, row * whole.head_dim, whole.dtype);
  chunk.outputs.lse = outputs_.lse + row;
  return chunk;
}

std::int64_t ChunkPlan::index_of(const Row& row) const {
  if (chunks_per_head_ == 0) return 0;
  return (row.batch * inputs_.shape.q_heads + row.head) * chunks_per_head_ + row.query / queries_;
}

}  // namespace attnscope::compose
