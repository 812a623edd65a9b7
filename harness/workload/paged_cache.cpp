// SPDX-License-Identifier: Apache-2.0
#include "harness/workload/paged_cache.hpp"

#include <algorithm>
#include <cstring>
#include <span>
#include <vector>

#include "harness/base/parallel.hpp"
#include "harness/workload/permutation.hpp"

namespace attnscope {
namespace {

constexpr std::int64_t kBlockBytes = std::int64_t{32} << 20;  // laid out on the host at once, on the way to a device
constexpr int kPoison = 0xFF;                                 // NaN in every dtype

struct Layout {
  Shape shape;
  std::int64_t row_bytes = shape.head_dim * size_of(shape.dtype);
  std::int64_t head_bytes = shape.cache_page * row_bytes;  // one page of one KV head
  std::int64_t page_bytes = shape.kv_heads * head_bytes;
};

/// Lays out one physical page that belongs to logical page `owner`, counted over all sequences.
void fill_page(const Layout& layout, const std::byte* tensor, std::int64_t owner, std::byte* page) {
  const Shape& shape = layout.shape;
  const std::int64_t sequence = owner / shape.cache_pages();
  const std::int64_t first_key = owner % shape.cache_pages() * shape.cache_page;
  const std::int64_t key_bytes = std::min(shape.cache_page, shape.kv_len - first_key) * layout.row_bytes;
  for (std::int64_t h = 0; h < shape.kv_heads; ++h, page += layout.head_bytes) {
    const std::int64_t row = (sequence * shape.kv_heads + h) * shape.kv_len + first_key;
    std::memcpy(page, tensor + row * layout.row_bytes, static_cast<std::size_t>(key_bytes));
    std::memset(page + key_bytes, kPoison, static_cast<std::size_t>(layout.head_bytes - key_bytes));
  }
}

/// The pool of one tensor. In physical order, block by block: each byte crosses to a device once, in large copies.
Buffer make_pool(const Layout& layout, const void* tensor, std::span<const std::int32_t> owners, Space space,
                 int threads) {
  const auto pages = static_cast<std::int64_t>(owners.size());
  const std::int64_t block = std::min(pages, std::max<std::int64_t>(1, kBlockBytes / layout.page_bytes));
  Buffer pool(space, static_cast<std::size_t>(pages * layout.page_bytes));
  Buffer staging;
  if (space == Space::device) staging = Buffer(Space::host, static_cast<std::size_t>(block * layout.page_bytes));
  for (std::int64_t begin = 0; begin < pages; begin += block) {
    const std::int64_t count = std::min(block, pages - begin), offset = begin * layout.page_bytes;
    std::byte* target = staging ? staging.as<std::byte>() : pool.as<std::byte>() + offset;
    parallel_for(count, threads, [&](std::int64_t p) {
      fill_page(layout, static_cast<const std::byte*>(tensor), owners[static_cast<std::size_t>(begin + p)],
                target + p * layout.page_bytes);
    });
    if (staging)
      pool.copy_from_host(target, static_cast<std::size_t>(count * layout.page_bytes),
                          static_cast<std::size_t>(offset));
  }
  return pool;
}

}  // namespace

PagedCache::PagedCache(const AttentionInputs& host, Space space, std::uint64_t seed, int threads) {
  const Layout layout{.shape = host.shape};
  const auto pages = static_cast<std::size_t>(host.shape.batch * host.shape.cache_pages());
  const Permutation order(static_cast<std::int64_t>(pages), NoiseStream{seed});
  std::vector<std::int32_t> table(pages), owners(pages);  // inverse to each other
  for (std::size_t logical = 0; logical < pages; ++logical) {
    table[logical] = static_cast<std::int32_t>(order(static_cast<std::int64_t>(logical)));
    owners[static_cast<std::size_t>(table[logical])] = static_cast<std::int32_t>(logical);
  }
  k_ = make_pool(layout, host.k, owners, space, threads);
  v_ = make_pool(layout, host.v, owners, space, threads);
  table_ = Buffer(space, pages * sizeof(std::int32_t));
  table_.copy_from_host(table.data(), table_.bytes());
}

void PagedCache::replace_in(AttentionInputs& inputs) const {
  inputs.k = k_.data();
  inputs.v = v_.data();
  inputs.page_table = table_.as<std::int32_t>();
}

}  // namespace attnscope
