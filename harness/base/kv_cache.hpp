// SPDX-License-Identifier: Apache-2.0
// Where the rows of K and V of one sequence and KV head lie: one after the other, or in pages of a pool.
#pragma once

#include <cstdint>

#ifdef __CUDACC__
#define ATTNSCOPE_HOST_DEVICE __host__ __device__
#else
#define ATTNSCOPE_HOST_DEVICE
#endif

namespace attnscope {

/// Maps key j of one (sequence, KV head) to its row, in units of head_dim elements from the start of k or v. A pool
/// [pages, kv_heads, page, head_dim] keeps the keys of a page together for each KV head. The table lies in the memory
/// space of the backend that calls `row`.
struct KvRows {
  std::int64_t first = 0;               // contiguous: row of key 0; paged: kv_head · page
  const std::int32_t* table = nullptr;  // of this sequence; null: contiguous
  std::int64_t page_rows = 0;           // rows of one physical page over all KV heads
  int page_log2 = 0;

  static constexpr KvRows contiguous(std::int64_t first_row) { return {.first = first_row}; }
  static constexpr KvRows paged(const std::int32_t* table, std::int64_t page, std::int64_t kv_heads,
                                std::int64_t kv_head) {
    int log2 = 0;
    while ((std::int64_t{1} << log2) < page) ++log2;
    return {.first = kv_head * page, .table = table, .page_rows = kv_heads * page, .page_log2 = log2};
  }

  ATTNSCOPE_HOST_DEVICE std::int64_t row(std::int64_t key) const {
    if (table == nullptr) return first + key;
    return table[key >> page_log2] * page_rows + first + (key & ((std::int64_t{1} << page_log2) - 1));
  }
};

}  // namespace attnscope
