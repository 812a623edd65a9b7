// SPDX-License-Identifier: Apache-2.0
#include "kernels/select/cpu/cut.hpp"

namespace attnscope::select::cpu {

void top_k(const Scores& scores, std::int64_t k, const Lists& lists) {
  for_rows(scores, [&](std::int64_t r, std::span<const float> row) {
    if (static_cast<std::int64_t>(row.size()) <= k) return take_all(row, lists, r);
    if (k == 0) return take_all({}, lists, r);
    const auto cut = cut_row(row, static_cast<std::uint64_t>(k), count_digits);
    take(row, cut.value, static_cast<std::int64_t>(cut.missing), lists, r);
  });
}

}  // namespace attnscope::select::cpu
