// SPDX-License-Identifier: Apache-2.0
// The canonical forms in which a method says which keys each query row attends. Every form has an exact 64-bit count of
// attended (query, key) pairs and can enumerate one row, so that useful FLOPs, masks and attention mass come from one
// place. A key beyond Shape::visible is never attended, whatever the form says: causality is applied on top.
#pragma once

#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "harness/base/shape.hpp"

namespace attnscope {

/// Every visible key.
struct Dense {};

/// Attention sink + sliding window, exact per row: a row at position p attends key j when j < sink or |p − j| < window.
struct Band {
  std::int64_t sink = 0;
  std::int64_t window = 0;
};

/// CSR of KV blocks per (batch, query head, query block). Within a listed block every visible key is attended.
struct BlockList {
  std::int64_t block_q = 64;
  std::int64_t block_k = 64;
  std::span<const std::int64_t> begin;    // [batch · q_heads · query blocks + 1]
  std::span<const std::int32_t> indices;  // block numbers, ascending and distinct within a list
};

/// Vertical–slash: per (batch, query head) a set of key columns and of diagonals Δ = position − key.
/// A row attends the union of both, each pair once.
struct ColumnList {
  std::span<const std::int64_t> vertical_begin;  // [batch · q_heads + 1]
  std::span<const std::int32_t> verticals;       // key indices, ascending and distinct
  std::span<const std::int64_t> slash_begin;     // [batch · q_heads + 1]
  std::span<const std::int32_t> slashes;         // distances Δ ≥ 0, ascending and distinct
};

/// Lists of tokens or of pages, one per row: row r = (b · heads + h) · q_len + i owns
/// indices[begin[r] .. begin[r] + count[r]). `heads` is q_heads, or kv_heads when a whole group shares a list.
/// An index names keys [index · page, (index + 1) · page), clipped to the visible keys. Ascending and distinct.
/// `log_weight` is added to the scaled logits of an entry's keys: what a sampling correction or a cluster's size is.
struct TokenList {
  std::int64_t heads = 1;
  std::int64_t page = 1;
  std::span<const std::int64_t> begin;  // [rows]
  std::span<const std::int32_t> count;  // [rows]
  std::span<const std::int32_t> indices;
  std::span<const float> log_weight = {};  // parallel to indices, or empty for none
};

/// Per query token and KV head the top-K chunks of `chunk` keys, each with a weight (HSA, NSA). Row r of the list is
/// (b · kv_heads + h) · q_len + i and owns indices[r · top_k .. (r + 1) · top_k), distinct and in any order; −1 marks
/// an unused slot.
struct ChunkList {
  std::int64_t chunk = 64;
  std::int64_t top_k = 16;
  std::span<const std::int32_t> indices;  // [batch · kv_heads · q_len · top_k]
  std::span<const float> weights;         // same extent, or empty for weight 1
};

/// Spans point to host memory here; device kernels take the same forms with device pointers in the spans and read them
/// only in kernels. The functions below need host memory.
using Selection = std::variant<Dense, Band, BlockList, ColumnList, TokenList, ChunkList>;

/// Keys [begin, end); empty when end ≤ begin.
struct KeyRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

/// The keys of `band` that query row i attends: the sink, then the rest of the window; disjoint.
struct BandKeys {
  KeyRange sink;
  KeyRange window;
};
BandKeys band_keys(const Band& band, const Shape& shape, std::int64_t i);

/// Attended pairs over all batches and query heads. Closed form for Dense and Band; at most O(list entries) for the
/// lists, O(verticals + slashes) per head for ColumnList; never O(q_len · kv_len).
std::uint64_t attended_pairs(const Selection& selection, const Shape& shape);

/// Replaces `keys` by the keys that `row` attends, ascending.
void attended_keys(const Selection& selection, const Shape& shape, const Row& row, std::vector<std::int32_t>& keys);

}  // namespace attnscope
