// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>

#include "kernels/select/engines.hpp"

namespace attnscope::select::cpu {
namespace {

std::int64_t words_of(std::int64_t range) { return (range + 63) / 64; }

}  // namespace

std::size_t group_union_workspace(std::int64_t rows, std::int64_t range) {
  return static_cast<std::size_t>(rows * words_of(range)) * sizeof(std::uint64_t);
}

void group_union(const TokenList& lists, std::int64_t rows, std::int64_t group, std::int64_t range, const Lists& unions,
                 void* workspace) {
  const std::int64_t words = words_of(range);
#pragma omp parallel for schedule(dynamic)
  for (std::int64_t k = 0; k < rows; ++k) {
    auto* const bitmap = static_cast<std::uint64_t*>(workspace) + k * words;
    std::fill_n(bitmap, words, std::uint64_t{0});
    for (std::int64_t r = k * group; r < (k + 1) * group; ++r) {
      const std::int32_t* indices = lists.indices.data() + lists.begin[static_cast<std::size_t>(r)];
      for (std::int32_t i = 0; i < lists.count[static_cast<std::size_t>(r)]; ++i)
        bitmap[indices[i] / 64] |= std::uint64_t{1} << (indices[i] % 64);
    }
    std::int32_t* const first = unions.indices + k * unions.capacity;
    std::int32_t* out = first;
    for (std::int64_t w = 0; w < words; ++w)
      for (std::uint64_t bits = bitmap[w]; bits != 0; bits &= bits - 1)
        *out++ = static_cast<std::int32_t>(w * 64 + std::countr_zero(bits));
    unions.count[k] = static_cast<std::int32_t>(out - first);
  }
}

}  // namespace attnscope::select::cpu
