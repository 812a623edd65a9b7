// SPDX-License-Identifier: Apache-2.0
#include "kernels/selectors/list_buffer.hpp"

#include <algorithm>
#include <numeric>

namespace attnscope::selectors {

ListBuffer::ListBuffer(Space space, const Shape& shape, std::int64_t heads, std::int64_t page, std::int64_t capacity)
    : heads_(heads),
      page_(page),
      capacity_(capacity),
      rows_(shape.batch * heads),
      begin_(space, rows_ * sizeof(std::int64_t)),
      count_(space, rows_ * sizeof(std::int32_t)),
      indices_(space, rows_ * capacity * sizeof(std::int32_t)) {
  std::vector<std::int64_t> begin(rows_);
  for (std::int64_t row = 0; row < rows_; ++row) begin[row] = row * capacity;
  begin_.copy_from_host(begin.data(), begin_.bytes());
  count_.zero();
}

TokenList ListBuffer::view() const {
  const auto rows = static_cast<std::size_t>(rows_);
  return {.heads = heads_,
          .page = page_,
          .begin = {begin_.as<std::int64_t>(), rows},
          .count = {count_.as<std::int32_t>(), rows},
          .indices = {indices_.as<std::int32_t>(), rows * static_cast<std::size_t>(capacity_)}};
}

select::Lists ListBuffer::lists() const {
  return {.indices = indices_.as<std::int32_t>(), .count = count_.as<std::int32_t>(), .capacity = capacity_};
}

void ListBuffer::fill(const std::vector<std::int32_t>& list) {
  std::vector<std::int32_t> indices(rows_ * capacity_);
  for (std::int64_t row = 0; row < rows_; ++row) std::ranges::copy(list, indices.begin() + row * capacity_);
  indices_.copy_from_host(indices.data(), indices_.bytes());
  const std::vector<std::int32_t> count(rows_, static_cast<std::int32_t>(list.size()));
  count_.copy_from_host(count.data(), count_.bytes());
}

HostLists::HostLists(const compose::Engine& engine, const TokenList& lists, const Shape& shape, std::int64_t capacity)
    : heads_(lists.heads), page_(lists.page), begin_(shape.batch * lists.heads), count_(begin_.size()) {
  engine.read(count_.data(), lists.count.data(), count_.size() * sizeof(std::int32_t));
  std::exclusive_scan(count_.begin(), count_.end(), begin_.begin(), std::int64_t{0});
  indices_.resize(begin_.empty() ? 0 : begin_.back() + count_.back());
  for (std::size_t row = 0; row < count_.size(); ++row)
    engine.read(indices_.data() + begin_[row], lists.indices.data() + static_cast<std::int64_t>(row) * capacity,
                count_[row] * sizeof(std::int32_t));
}

TokenList HostLists::view() const {
  return {.heads = heads_, .page = page_, .begin = begin_, .count = count_, .indices = indices_};
}

std::int64_t HostLists::distinct_keys(const Shape& shape) const {
  const std::int64_t share = heads_ / shape.kv_heads;  // lists under one KV head
  std::int64_t total = 0;
  for (std::int64_t kv = 0; kv < shape.batch * shape.kv_heads; ++kv) {
    std::vector<bool> listed((shape.kv_len + page_ - 1) / page_);
    for (std::int64_t row = kv * share; row < (kv + 1) * share; ++row)
      for (std::int64_t i = begin_[row]; i < begin_[row] + count_[row]; ++i) listed[indices_[i]] = true;
    std::int64_t keys = std::ranges::count(listed, true) * page_;
    if (listed.back()) keys -= static_cast<std::int64_t>(listed.size()) * page_ - shape.kv_len;  // the last is short
    total += keys;
  }
  return total;
}

}  // namespace attnscope::selectors
