// SPDX-License-Identifier: Apache-2.0
// A selection by score is a cut: a threshold, and how many of the scores equal to it are taken. Finding the threshold
// is a radix descent: a histogram by the leading bits of the keys says which bin holds it, a histogram of that bin by
// the next bits narrows it down, until all 32 bits are known. Three passes, exact, no sort.
//
// Long rows are cut into parts that threads work on side by side. Parts have a fixed size and are added up in order, so
// that sums in double, and with them the selection, do not depend on the number of threads.
#pragma once

#include <omp.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/select/cpu/scan.hpp"
#include "kernels/select/select.hpp"

namespace attnscope::select {

inline constexpr std::int64_t kPartScores = 1 << 16;

inline std::int64_t parts_of(std::span<const float> row) {
  return (static_cast<std::int64_t>(row.size()) + kPartScores - 1) / kPartScores;
}

inline std::span<const float> part_of(std::span<const float> row, std::int64_t part) {
  const std::int64_t first = part * kPartScores;
  return row.subspan(static_cast<std::size_t>(first),
                     static_cast<std::size_t>(std::min(kPartScores, static_cast<std::int64_t>(row.size()) - first)));
}

/// Calls f(part, scores of the part) for every part of the row. Side by side, unless rows already are.
template <typename F>
void for_parts(std::span<const float> row, F f) {
  const std::int64_t parts = parts_of(row);
#pragma omp parallel for schedule(static) if (parts > 1)
  for (std::int64_t part = 0; part < parts; ++part) f(part, part_of(row, part));
}

/// Calls f(row number, its valid scores) for every row; rows run side by side unless they are few and long.
template <typename F>
void for_rows(const Scores& scores, F f) {
  const auto call = [&](std::int64_t r) {
    f(r, std::span<const float>(scores.data + r * scores.stride, static_cast<std::size_t>(scores.length[r])));
  };
  // A branch, not an if clause: libgomp keeps its threads for the outermost region alone, even if only one thread runs
  // that, and would start new ones for every pass over a row.
  if (scores.rows < omp_get_max_threads() && scores.stride > kPartScores) {
    for (std::int64_t r = 0; r < scores.rows; ++r) call(r);
    return;
  }
#pragma omp parallel for schedule(dynamic)
  for (std::int64_t r = 0; r < scores.rows; ++r) call(r);
}

/// The threshold, and what is still missing of the amount asked for when every score above it is taken.
template <typename Amount>
struct Cut {
  float value = 0;
  Amount missing = 0;
};

/// Cuts a row that is not empty where the largest scores add up to `wanted` > 0. `histogram(scores, digit, table)` adds
/// the amounts of `scores` by digit value. Where rounding leaves a sum short of `wanted`, the smallest score that has
/// an amount is the threshold.
template <typename Amount, typename Histogram>
Cut<Amount> cut_row(std::span<const float> row, Amount wanted, Histogram histogram) {
  const std::int64_t parts = parts_of(row);
  std::vector<Amount> tables(static_cast<std::size_t>(parts * kDigitValues));
  Digit digit;
  for (int known = 0; known < 32;) {
    const int bits = std::min(kDigitBits, 32 - known);
    digit.shift = 32 - known - bits;
    digit.digit_mask = (1u << bits) - 1;
    std::fill(tables.begin(), tables.end(), Amount{0});
    for_parts(row, [&](std::int64_t part, std::span<const float> scores) {
      histogram(scores, digit, tables.data() + part * kDigitValues);
    });
    for (std::int64_t part = 1; part < parts; ++part)
      for (std::int64_t v = 0; v < kDigitValues; ++v)
        tables[static_cast<std::size_t>(v)] += tables[static_cast<std::size_t>(part * kDigitValues + v)];

    std::uint32_t last = 0;  // the bin taken, or about to be taken when the sum falls short
    Amount before = 0, above = 0;
    for (std::int64_t v = digit.digit_mask; v >= 0; --v) {
      const Amount amount = tables[static_cast<std::size_t>(v)];
      if (amount == Amount{0}) continue;
      last = static_cast<std::uint32_t>(v);
      before = above;
      above += amount;
      if (above >= wanted) break;
    }
    wanted -= before;
    digit.prefix |= last << digit.shift;
    digit.mask |= digit.digit_mask << digit.shift;
    known += bits;
  }
  return {from_key(digit.prefix), wanted};
}

/// Writes the list of row r: every score above `value`, and the first `ties` equal to it.
void take(std::span<const float> row, float value, std::int64_t ties, const Lists& lists, std::int64_t r);

/// Writes the list of row r: every score.
void take_all(std::span<const float> row, const Lists& lists, std::int64_t r);

}  // namespace attnscope::select
