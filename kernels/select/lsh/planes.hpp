// SPDX-License-Identifier: Apache-2.0
// What a query has seen in its buckets, one bit per key of its sequence: once, and more than once.
#pragma once

#include <cstdint>

#include "harness/base/kv_cache.hpp"
#include "kernels/core/selection.hpp"

namespace attnscope::select {

struct Planes {
  static constexpr int kWordBits = 32;

  std::uint32_t* once = nullptr;   // [rows, words]
  std::uint32_t* twice = nullptr;  // [rows, words]
  std::int64_t words = 0;
  std::int64_t kv_len = 0;
  KeyRange indexed = {};

  static constexpr std::int64_t words_of(std::int64_t kv_len) { return (kv_len + kWordBits - 1) / kWordBits; }

  /// The keys of word `word` that are listed for every query.
  ATTNSCOPE_HOST_DEVICE std::uint32_t always(std::int64_t word) const {
    const std::int64_t first = word * kWordBits;
    return below(indexed.begin - first) | (below(kv_len - first) & ~below(indexed.end - first));
  }

 private:
  /// The lowest n bits.
  ATTNSCOPE_HOST_DEVICE static std::uint32_t below(std::int64_t n) {
    return n <= 0 ? 0u : n >= kWordBits ? ~0u : (1u << n) - 1;
  }
};

}  // namespace attnscope::select
