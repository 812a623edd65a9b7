// SPDX-License-Identifier: Apache-2.0
// K and V as a serving system keeps them: in pages that lie anywhere in a pool, found through a table.
#pragma once

#include <cstdint>

#include "harness/base/attention.hpp"
#include "harness/device/buffer.hpp"

namespace attnscope {

/// Pools [pages, kv_heads, cache_page, head_dim] of k and v and their page table [batch, cache_pages()] in `space`. The
/// pages of all sequences share one random order, so that neighbours in a sequence are strangers in memory. What the
/// last page of a sequence has no keys for holds NaN: to read it is to be found out.
class PagedCache {
 public:
  /// Copies k and v of `host`, contiguous, whose shape says the page size. The order is a function of `seed` and the
  /// number of pages. Beyond the pools this takes at most 32 MiB, or one page, of host memory. Throws OutOfMemory.
  PagedCache(const AttentionInputs& host, Space space, std::uint64_t seed, int threads);

  /// Sets k, v and page_table of `inputs`.
  void replace_in(AttentionInputs& inputs) const;
  bool guards_intact() const { return k_.guards_intact() && v_.guards_intact() && table_.guards_intact(); }

 private:
  Buffer k_, v_, table_;
};

}  // namespace attnscope
