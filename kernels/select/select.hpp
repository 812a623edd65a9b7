// SPDX-License-Identifier: Apache-2.0
// Scoring and selection engines that rooms compose. Scores are float, one row per (batch, query head, query); lists
// come out as TokenList rows: ascending indices at indices[r · capacity], their number in count[r]. Ties are broken
// towards the lowest index, on every backend.
#pragma once

#include <cstddef>
#include <cstdint>

#include "harness/base/attention.hpp"

namespace attnscope::select {

/// Rows of scores: row r holds length[r] ≤ stride valid scores at data[r · stride].
struct Scores {
  float* data = nullptr;
  std::int64_t rows = 0;
  std::int64_t stride = 0;
  const std::int32_t* length = nullptr;  // [rows]
};

/// Fixed-capacity lists, the layout of TokenList with begin[r] = r · capacity.
struct Lists {
  std::int32_t* indices = nullptr;  // [rows · capacity]
  std::int32_t* count = nullptr;    // [rows]
  std::int64_t capacity = 0;
};

/// A contiguous range of query indices [first, first + count) of every (batch, query head): how prefill is chunked so
/// that scores never need q_len · kv_len memory. Row r of the scores is (b · q_heads + h) · count + (i − first).
struct QueryRange {
  std::int64_t first = 0;
  std::int64_t count = 1;
};

/// Bounds of pages of `page` keys (the last may be short): per (batch, KV head, page, channel) the minimum and maximum
/// of K, in K's dtype. Layout [batch, kv_heads, pages, 2, head_dim], minima first (Quest, §3.2).
struct PageBounds {
  void* data = nullptr;
  std::int64_t page = 16;
  std::int64_t pages = 0;
};

namespace cpu {

/// s = scale · q · k for every visible key of every row of `range`; length[r] is written too.
void logits(const AttentionInputs& in, QueryRange range, Scores scores, std::int32_t* length);
/// The k largest scores of each row, or all when the row has no more than k.
void top_k(const Scores& scores, std::int64_t k, const Lists& lists);
/// The smallest set of keys with softmax mass ≥ p, largest scores first. Capacity must be the stride. Exact: no
/// bisection on the threshold; accumulates in double.
void top_p(const Scores& scores, double p, const Lists& lists);
void page_bounds(const AttentionInputs& in, const PageBounds& bounds);
/// U(page) = Σ_c max(q_c m_c, q_c M_c), an upper bound of q · k over the page (unscaled), for the first `pages` pages.
void page_scores(const AttentionInputs& in, const PageBounds& bounds, Scores scores);

}  // namespace cpu

/// The same on the GPU: pointers are device pointers, work is enqueued on `stream`, `workspace` holds
/// workspace_bytes(rows, stride) bytes.
namespace cuda {

void logits(const AttentionInputs& in, QueryRange range, Scores scores, std::int32_t* length, void* stream);
std::size_t workspace_bytes(std::int64_t rows, std::int64_t stride);
void top_k(const Scores& scores, std::int64_t k, const Lists& lists, void* workspace, void* stream);
void top_p(const Scores& scores, double p, const Lists& lists, void* workspace, void* stream);
void page_bounds(const AttentionInputs& in, const PageBounds& bounds, void* stream);
void page_scores(const AttentionInputs& in, const PageBounds& bounds, Scores scores, void* stream);

}  // namespace cuda
}  // namespace attnscope::select
