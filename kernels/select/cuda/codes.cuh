// SPDX-License-Identifier: Apache-2.0
// Codes of quantised keys as operands of tensor cores.
#pragma once

#include <cstdint>

namespace attnscope::select::cuda {

/// Codes in one 32-bit word; elements of 2 bytes where the channels are kept as they are.
template <int kBits>
inline constexpr int kCodesPerWord = 32 / kBits;

/// Codes i and i + kCodesPerWord / 2 of a word as a pair of f16, the first in the low half. Any order of the channels
/// will do, if q has the same; in this one both codes need one mask. Left where they are, the bits of a code make a
/// subnormal number, code · 2^(place − 24), as long as they lie among the 10 bits of the significand: two shifts serve
/// all codes of a word, and nothing is converted. What multiplies the code makes up for the factor (code_factor).
template <int kBits>
__device__ __forceinline__ std::uint32_t code_pair(std::uint32_t word, int i) {
  if constexpr (kBits == 16) {
    return word;
  } else {
    constexpr int kPerShift = 10 / kBits;
    constexpr std::uint32_t kMask = ((1u << kBits) - 1) * 0x00010001u;
    return word >> i / kPerShift * kPerShift * kBits & kMask << i % kPerShift * kBits;
  }
}

/// 2^−place of the codes of pair i: what q has to be multiplied by, so that the product with code_pair is that of q and
/// the code times 2^−24.
template <int kBits>
__device__ __forceinline__ float code_factor(int i) {
  if constexpr (kBits == 16)
    return 1.0f;
  else
    return 1.0f / static_cast<float>(1 << i % (10 / kBits) * kBits);
}

}  // namespace attnscope::select::cuda
