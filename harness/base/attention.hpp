// SPDX-License-Identifier: Apache-2.0
// What every attention call reads and writes, in the memory space of the backend that runs it.
#pragma once

#include <cmath>

#include "harness/base/kv_cache.hpp"
#include "harness/base/shape.hpp"

namespace attnscope {

/// O = softmax(scale · Q Kᵀ) V over the keys that a row attends. Pointers are 64-byte aligned, layouts as in Shape.
struct AttentionInputs {
  Shape shape;
  const void* q = nullptr;
  const void* k = nullptr;  // a pool of pages when `page_table` is not null
  const void* v = nullptr;
  float scale = 0.0f;
  const std::int32_t* page_table = nullptr;  // [batch, shape.cache_pages()], physical pages; null: contiguous
  /// The queries at the `shape.history` positions before the first query row, oldest first,
  /// [batch, q_heads, history, head_dim]; null when there are none.
  const void* past_q = nullptr;

  /// Elements that k, and likewise v, holds: whole pages when it is a pool.
  std::int64_t stored_kv_elements() const {
    if (page_table == nullptr) return shape.kv_elements();
    return shape.batch * shape.cache_pages() * shape.kv_heads * shape.cache_page * shape.head_dim;
  }
  /// Where the keys and values of (batch, kv_head) lie, in rows of head_dim elements.
  KvRows kv_rows(std::int64_t b, std::int64_t kv_head) const {
    if (page_table == nullptr) return KvRows::contiguous((b * shape.kv_heads + kv_head) * shape.kv_len);
    return KvRows::paged(page_table + b * shape.cache_pages(), shape.cache_page, shape.kv_heads, kv_head);
  }
};

/// `o` has the dtype of the inputs, or is float when `partial`; `lse` is float, in natural-log units of the scaled
/// logits. A row that attends no key has o = 0 and lse = −infinity.
struct AttentionOutputs {
  void* o = nullptr;
  float* lse = nullptr;
  bool partial = false;  // attention over some of the keys, to be merged with the rest by its LSE
};

/// 1/√head_dim, the softmax scale of every method unless it says otherwise.
inline float default_scale(const Shape& shape) { return 1.0f / std::sqrt(static_cast<float>(shape.head_dim)); }

}  // namespace attnscope
