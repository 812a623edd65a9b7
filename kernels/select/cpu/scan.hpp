// SPDX-License-Identifier: Apache-2.0
// SIMD passes over a part of one row of scores: what selection by radix descent needs. Scores are ordered by their
// keys, the 32-bit integers whose unsigned order is the order of the floats (−0 counted as +0).
#pragma once

#include <bit>
#include <cstdint>
#include <span>

namespace attnscope::select {

/// 11 bits at most: a table of doubles for every digit value stays within L1.
inline constexpr int kDigitBits = 11;
inline constexpr std::int64_t kDigitValues = 1 << kDigitBits;

/// The scores whose key agrees with `prefix` in the bits of `mask`, told apart by the bits from `shift` up.
struct Digit {
  std::uint32_t prefix = 0;
  std::uint32_t mask = 0;  // 0 for the first digit: every score
  int shift = 0;           // the digit is (key >> shift) & digit_mask
  std::uint32_t digit_mask = 0;
};

/// The float of a key.
inline float from_key(std::uint32_t key) { return std::bit_cast<float>((key >> 31) != 0 ? key & 0x7fffffffu : ~key); }

/// counts[v] += how many scores of `digit` have value v. `counts` has kDigitValues elements.
void count_digits(std::span<const float> scores, const Digit& digit, std::uint64_t* counts);

/// masses[v] += Σ exp(score − max) over the scores of `digit` with value v, summed in double.
void add_masses(std::span<const float> scores, const Digit& digit, float max, double* masses);

/// The largest score; −infinity when there is none.
float largest(std::span<const float> scores);

struct Comparison {
  std::int64_t above = 0;
  std::int64_t equal = 0;
};
Comparison compare(std::span<const float> scores, float value);

/// Writes first_index + i, ascending, for every score above `value` and for the first `ties` equal to it.
void collect(std::span<const float> scores, std::int32_t first_index, float value, std::int64_t ties,
             std::int32_t* indices);

}  // namespace attnscope::select
