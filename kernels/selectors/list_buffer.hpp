// SPDX-License-Identifier: Apache-2.0
// Lists of fixed capacity, one per (batch, head): what selectors write and attention reads, and the same on the host.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/device/buffer.hpp"
#include "kernels/compose/engine.hpp"
#include "kernels/core/selection.hpp"

namespace attnscope::selectors {

class ListBuffer {
 public:
  /// Empty lists for a decoding step of `shape`. `heads` is q_heads or kv_heads; an index names `page` keys.
  ListBuffer(Space space, const Shape& shape, std::int64_t heads, std::int64_t page, std::int64_t capacity);

  TokenList view() const;
  select::Lists lists() const;
  std::int64_t rows() const { return rows_; }
  std::int64_t capacity() const { return capacity_; }
  /// Writes the same list into every row, from the host.
  void fill(const std::vector<std::int32_t>& list);

 private:
  std::int64_t heads_, page_, capacity_, rows_;
  Buffer begin_;    // int64 [rows], r · capacity
  Buffer count_;    // int32 [rows]
  Buffer indices_;  // int32 [rows, capacity]
};

/// A host copy of lists in any memory space, without the unused room between them.
class HostLists {
 public:
  /// Lists in the memory of `engine`, once all it has enqueued is done; list r begins at r · capacity.
  HostLists(const compose::Engine& engine, const TokenList& lists, const Shape& shape, std::int64_t capacity);

  TokenList view() const;
  /// Index entries over all rows.
  std::int64_t entries() const { return static_cast<std::int64_t>(indices_.size()); }
  /// Distinct keys in the lists of the rows that share a KV head, summed over batches and KV heads: the rows of K, and
  /// as many of V, that attention has to read.
  std::int64_t distinct_keys(const Shape& shape) const;

 private:
  std::int64_t heads_, page_;
  std::vector<std::int64_t> begin_;
  std::vector<std::int32_t> count_, indices_;
};

}  // namespace attnscope::selectors
