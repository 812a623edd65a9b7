// SPDX-License-Identifier: Apache-2.0
#include "kernels/core/selection.hpp"

#include <algorithm>
#include <numeric>

namespace attnscope {
namespace {

// Σ x over x in [first, end), halving the even factor first so that nothing exceeds the sum by a factor of two.
std::int64_t sum_integers(std::int64_t first, std::int64_t end) {
  if (end <= first) return 0;
  const std::int64_t terms = end - first, ends = first + end - 1;
  return terms % 2 == 0 ? terms / 2 * ends : ends / 2 * terms;
}

// Σ min(x, cap) over x in [first, end).
std::int64_t sum_min(std::int64_t first, std::int64_t end, std::int64_t cap) {
  const std::int64_t bend = std::clamp(cap, first, std::max(first, end));
  return sum_integers(first, bend) + std::max<std::int64_t>(0, end - bend) * cap;
}

// Σ over query rows [row_begin, row_end) of the number of visible keys in `keys`.
std::int64_t visible_pairs(const Shape& shape, std::int64_t row_begin, std::int64_t row_end, KeyRange keys) {
  const std::int64_t width = std::min(keys.end, shape.kv_len) - keys.begin;
  if (width <= 0) return 0;
  if (!shape.causal) return (row_end - row_begin) * width;
  // Row i sees visible(i) − keys.begin of them, at least 0 and at most width; visible(i) grows by one per row.
  const std::int64_t first = std::max<std::int64_t>(0, shape.visible(row_begin) - keys.begin);
  const std::int64_t end = shape.visible(row_end) - keys.begin;
  return sum_min(first, end, width);
}

// The list of (batch, query head, query) where `heads` lists per batch and query are shared by q_heads query heads.
std::int64_t list_row(std::int64_t heads, const Shape& shape, const Row& row) {
  return (row.batch * heads + row.head / (shape.q_heads / heads)) * shape.q_len + row.query;
}

std::span<const std::int32_t> entries(const TokenList& list, std::int64_t row) {
  return list.indices.subspan(list.begin[row], list.count[row]);
}

std::span<const std::int32_t> slice(std::span<const std::int64_t> begin, std::span<const std::int32_t> values,
                                    std::int64_t at) {
  return values.subspan(begin[at], begin[at + 1] - begin[at]);
}

// Number of (a, b) with a + b < limit; both lists ascend, so one pointer runs up while the other runs down.
std::int64_t pairs_below(std::span<const std::int32_t> as, std::span<const std::int32_t> bs, std::int64_t limit) {
  std::int64_t pairs = 0;
  std::size_t fitting = bs.size();
  for (const std::int64_t a : as) {
    while (fitting > 0 && a + bs[fitting - 1] >= limit) --fitting;
    pairs += static_cast<std::int64_t>(fitting);
  }
  return pairs;
}

void append(std::vector<std::int32_t>& keys, KeyRange range) {
  if (range.end <= range.begin) return;
  const std::size_t old = keys.size();
  keys.resize(old + static_cast<std::size_t>(range.end - range.begin));
  std::iota(keys.begin() + static_cast<std::ptrdiff_t>(old), keys.end(), static_cast<std::int32_t>(range.begin));
}

// The keys of block `index` of `size` keys that are among the first `visible`.
KeyRange clipped(std::int64_t index, std::int64_t size, std::int64_t visible) {
  return {index * size, std::min((index + 1) * size, visible)};
}

struct PairCounter {
  const Shape& shape;

  std::int64_t operator()(const Dense&) const { return static_cast<std::int64_t>(shape.dense_pairs()); }

  std::int64_t operator()(const Band& band) const {
    const std::int64_t keys = shape.kv_len, first = shape.position(0);
    const std::int64_t sink = std::clamp<std::int64_t>(band.sink, 0, keys);
    const std::int64_t window = std::clamp<std::int64_t>(band.window, 0, keys + shape.q_len);
    const std::int64_t heads = shape.batch * shape.q_heads;
    // Causal: of n = position + 1 visible keys the row attends min(sink, n) + min(window, n − sink) = min(n, sink +
    // window).
    if (shape.causal) return heads * sum_min(first + 1, keys + 1, sink + window);
    // Otherwise the sink plus Σ over positions p of min(keys, p + window) − max(sink, p − window + 1), which is ≥ 0
    // from p = sink − window + 1 on. max(a, b) = a + b − min(a, b).
    std::int64_t pairs = shape.q_len * sink;
    if (window > 0) {
      const std::int64_t from = std::max(first, sink - window + 1), rows = std::max<std::int64_t>(0, keys - from);
      const std::int64_t low = from - window + 1;
      pairs += sum_min(from + window, keys + window, keys) -
               (sum_integers(low, low + rows) + rows * sink - sum_min(low, low + rows, sink));
    }
    return heads * pairs;
  }

  std::int64_t operator()(const BlockList& list) const {
    const std::int64_t query_blocks = (shape.q_len + list.block_q - 1) / list.block_q;
    std::int64_t pairs = 0;
    for (std::int64_t at = 0; at < shape.batch * shape.q_heads * query_blocks; ++at) {
      const std::int64_t row = at % query_blocks * list.block_q;
      for (const std::int64_t block : slice(list.begin, list.indices, at))
        pairs += visible_pairs(shape, row, std::min(row + list.block_q, shape.q_len),
                               {block * list.block_k, (block + 1) * list.block_k});
    }
    return pairs;
  }

  std::int64_t operator()(const ColumnList& list) const {
    const std::int64_t first = shape.position(0), end = shape.kv_len;
    std::int64_t pairs = 0;
    for (std::int64_t head = 0; head < shape.batch * shape.q_heads; ++head) {
      const auto verticals = slice(list.vertical_begin, list.verticals, head);
      const auto slashes = slice(list.slash_begin, list.slashes, head);
      for (const std::int64_t key : verticals) pairs += visible_pairs(shape, 0, shape.q_len, {key, key + 1});
      for (const std::int64_t distance : slashes) pairs += std::max<std::int64_t>(0, end - std::max(first, distance));
      // A pair reached both ways stands at position key + Δ; every such position in [first, end) was counted twice.
      pairs -= pairs_below(verticals, slashes, end) - pairs_below(verticals, slashes, first);
    }
    return pairs;
  }

  std::int64_t operator()(const TokenList& list) const {
    std::int64_t pairs = 0;
    for (std::int64_t row = 0; row < shape.batch * list.heads * shape.q_len; ++row) {
      const std::int64_t visible = shape.visible(row % shape.q_len);
      const auto pages = entries(list, row);
      const auto partial = std::lower_bound(pages.begin(), pages.end(), visible / list.page);
      pairs += (partial - pages.begin()) * list.page;  // pages before `partial` are wholly visible
      if (partial != pages.end()) pairs += std::max<std::int64_t>(0, visible - *partial * list.page);
    }
    return pairs * (shape.q_heads / list.heads);
  }

  std::int64_t operator()(const ChunkList& list) const {
    std::int64_t pairs = 0;
    for (std::int64_t row = 0; row < shape.batch * shape.kv_heads * shape.q_len; ++row)
      for (const std::int64_t index : list.indices.subspan(row * list.top_k, list.top_k)) {
        const KeyRange keys = clipped(index, list.chunk, shape.visible(row % shape.q_len));
        if (index >= 0) pairs += std::max<std::int64_t>(0, keys.end - keys.begin);
      }
    return pairs * shape.group();
  }
};

struct KeyLister {
  const Shape& shape;
  const Row& row;
  std::vector<std::int32_t>& keys;

  std::int64_t visible() const { return shape.visible(row.query); }

  void operator()(const Dense&) const { append(keys, {0, visible()}); }

  void operator()(const Band& band) const {
    const BandKeys ranges = band_keys(band, shape, row.query);
    append(keys, ranges.sink);
    append(keys, ranges.window);
  }

  void operator()(const BlockList& list) const {
    const std::int64_t query_blocks = (shape.q_len + list.block_q - 1) / list.block_q;
    const std::int64_t at = (row.batch * shape.q_heads + row.head) * query_blocks + row.query / list.block_q;
    for (const auto block : slice(list.begin, list.indices, at)) append(keys, clipped(block, list.block_k, visible()));
  }

  void operator()(const ColumnList& list) const {
    const std::int64_t head = row.batch * shape.q_heads + row.head, position = shape.position(row.query);
    const auto verticals = slice(list.vertical_begin, list.verticals, head);
    keys.assign(verticals.begin(), std::lower_bound(verticals.begin(), verticals.end(), visible()));
    for (const std::int64_t distance : slice(list.slash_begin, list.slashes, head))
      if (distance <= position) keys.push_back(static_cast<std::int32_t>(position - distance));
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  }

  void operator()(const TokenList& list) const {
    for (const auto index : entries(list, list_row(list.heads, shape, row)))
      append(keys, clipped(index, list.page, visible()));
  }

  void operator()(const ChunkList& list) const {
    const std::int64_t at = list_row(shape.kv_heads, shape, row) * list.top_k;
    for (const auto index : list.indices.subspan(at, list.top_k))
      if (index >= 0) append(keys, clipped(index, list.chunk, visible()));
    std::sort(keys.begin(), keys.end());
  }
};

}  // namespace

BandKeys band_keys(const Band& band, const Shape& shape, std::int64_t i) {
  const std::int64_t visible = shape.visible(i), position = shape.position(i);
  const std::int64_t sink = std::clamp<std::int64_t>(band.sink, 0, visible);
  const std::int64_t reach = std::clamp<std::int64_t>(band.window, 0, shape.kv_len + shape.q_len);
  return {{0, sink}, {std::max(sink, position - reach + 1), std::min(visible, position + reach)}};
}

std::uint64_t attended_pairs(const Selection& selection, const Shape& shape) {
  return static_cast<std::uint64_t>(std::visit(PairCounter{shape}, selection));
}

void attended_keys(const Selection& selection, const Shape& shape, const Row& row, std::vector<std::int32_t>& keys) {
  keys.clear();
  std::visit(KeyLister{shape, row, keys}, selection);
}

}  // namespace attnscope
