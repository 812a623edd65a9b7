// SPDX-License-Identifier: Apache-2.0
// Consecutive keys for loops that want them consecutive in memory.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "harness/base/attention.hpp"

namespace attnscope::select {

/// Keys [first, first + count) of KV head `head` (over the batch), one after the other: in place, or copied to
/// `staging` where the cache is paged.
inline const std::byte* consecutive_keys(const AttentionInputs& in, std::int64_t head, std::int64_t first,
                                         std::int64_t count, std::vector<std::byte>& staging) {
  const Shape& shape = in.shape;
  const std::int64_t row_bytes = shape.head_dim * size_of(shape.dtype);
  const auto* const k = static_cast<const std::byte*>(in.k);
  const KvRows rows = in.kv_rows(head / shape.kv_heads, head % shape.kv_heads);
  if (in.page_table == nullptr) return k + rows.row(first) * row_bytes;

  staging.resize(static_cast<std::size_t>(count * row_bytes));
  for (std::int64_t done = 0; done < count;) {
    const std::int64_t key = first + done;
    const std::int64_t run = std::min(count - done, shape.cache_page - key % shape.cache_page);
    std::memcpy(staging.data() + done * row_bytes, k + rows.row(key) * row_bytes,
                static_cast<std::size_t>(run * row_bytes));
    done += run;
  }
  return staging.data();
}

}  // namespace attnscope::select
