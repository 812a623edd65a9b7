// SPDX-License-Identifier: Apache-2.0
// Where the keys of each KV head lie: AttentionInputs::kv_rows as a kernel argument.
#pragma once

#include <bit>
#include <cstdint>

#include "harness/base/attention.hpp"

namespace attnscope::select::cuda {

struct HeadRows {
  const std::int32_t* page_table = nullptr;
  std::int64_t table_pages = 0;  // of one sequence
  std::int64_t kv_heads = 1;
  std::int64_t kv_len = 0;
  int page_log2 = 0;

  /// `count` rows per head, one head after the other.
  static HeadRows contiguous(std::int64_t count) { return {.kv_len = count}; }

  static HeadRows of(const AttentionInputs& in) {
    if (in.page_table == nullptr) return contiguous(in.shape.kv_len);
    return {.page_table = in.page_table,
            .table_pages = in.shape.cache_pages(),
            .kv_heads = in.shape.kv_heads,
            .kv_len = in.shape.kv_len,
            .page_log2 = std::countr_zero(static_cast<std::uint64_t>(in.shape.cache_page))};
  }

  /// How many keys from `key` on lie one after the other, if there are as many.
  __device__ std::int64_t run(std::int64_t key) const {
    if (page_table == nullptr) return kv_len - key;
    const std::int64_t page = std::int64_t{1} << page_log2;
    return page - (key & (page - 1));
  }

  /// Of KV head `head`, counted over the batch.
  __device__ KvRows operator[](std::int64_t head) const {
    if (page_table == nullptr) return {.first = head * kv_len};
    return {.first = head % kv_heads << page_log2,
            .table = page_table + head / kv_heads * table_pages,
            .page_rows = kv_heads << page_log2,
            .page_log2 = page_log2};
  }
};

}  // namespace attnscope::select::cuda
