// SPDX-License-Identifier: Apache-2.0
// The KV cache of a call as kernels see it: contiguous, or pages in whatever physical order.
#pragma once

#include "harness/base/attention.hpp"

namespace attnscope::device {

/// `kv_rows` of AttentionInputs, for device code.
struct Cache {
  KvRows first;  // of sequence 0, KV head 0
  std::int64_t sequence_pages = 0;
  std::int64_t kv_len = 0;
  int kv_heads = 1;

  Cache() = default;
  explicit Cache(const AttentionInputs& in)
      : first(in.kv_rows(0, 0)),
        sequence_pages(in.page_table ? in.shape.cache_pages() : 0),
        kv_len(in.shape.kv_len),
        kv_heads(static_cast<int>(in.shape.kv_heads)) {}

  /// Rows of KV head `head`, counted over the batch.
  __device__ KvRows rows(int head) const {
    KvRows rows = first;
    if (rows.table == nullptr) {
      rows.first = head * kv_len;
    } else {
      rows.first = std::int64_t{head % kv_heads} << rows.page_log2;
      rows.table += head / kv_heads * sequence_pages;
    }
    return rows;
  }
};

}  // namespace attnscope::device
