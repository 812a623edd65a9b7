// SPDX-License-Identifier: Apache-2.0
// Which key a position in a row of scores stands for, on the host and on the GPU.
#pragma once

#include <cstdint>

#include "harness/base/kv_cache.hpp"
#include "harness/base/shape.hpp"
#include "kernels/core/selection.hpp"

namespace attnscope::select {

/// The keys that one row scores, in order.
struct CandidateKeys {
  const std::int32_t* indices = nullptr;  // null: every visible key
  std::int64_t page = 1;
  std::int64_t size = 0;

  ATTNSCOPE_HOST_DEVICE std::int64_t key(std::int64_t n) const {
    if (indices == nullptr) return n;
    if (page == 1) return indices[n];
    const auto place = static_cast<std::uint32_t>(n),
               keys = static_cast<std::uint32_t>(page);  // 64-bit division is slow
    return indices[place / keys] * page + place % keys;
  }
};

/// The candidates of all rows of a decoding step. Holds nothing but pointers: kernels take it as an argument.
class CandidateLists {
 public:
  /// Null lists: every row scores every visible key.
  CandidateLists(const Shape& shape, const TokenList* lists) : visible_(shape.visible(0)), heads_(shape.kv_heads) {
    if (lists == nullptr) return;
    heads_ = lists->heads;
    page_ = lists->page;
    begin_ = lists->begin.data();
    count_ = lists->count.data();
    indices_ = lists->indices.data();
  }

  /// Lists per sequence: q_heads or kv_heads.
  ATTNSCOPE_HOST_DEVICE std::int64_t heads() const { return heads_; }

  /// `head` counts up to heads().
  ATTNSCOPE_HOST_DEVICE CandidateKeys of(std::int64_t b, std::int64_t head) const {
    if (begin_ == nullptr) return {nullptr, 1, visible_};
    const std::int64_t row = b * heads_ + head;
    const std::int32_t* indices = indices_ + begin_[row];
    const std::int64_t count = count_[row];
    if (page_ == 1 || count == 0) return {indices, page_, count};
    const std::int64_t left = visible_ - indices[count - 1] * page_;  // the last page may be short
    return {indices, page_, (count - 1) * page_ + (left < page_ ? left : page_)};
  }

 private:
  std::int64_t visible_;
  std::int64_t heads_;
  std::int64_t page_ = 1;
  const std::int64_t* begin_ = nullptr;
  const std::int32_t* count_ = nullptr;
  const std::int32_t* indices_ = nullptr;
};

}  // namespace attnscope::select
