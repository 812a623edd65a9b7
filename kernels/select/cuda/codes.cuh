// SPDX-License-Identifier: Apache-2.0
// Codes of quantised keys as operands of tensor cores.
#pragma once

#include <cstdint>
#include <type_traits>

#include "kernels/attend/cuda/mma.cuh"

namespace attnscope::select::cuda {

/// Codes in one 32-bit word; elements of 2 bytes where the channels are kept as they are.
template <int kBits>
inline constexpr int kCodesPerWord = 32 / kBits;

/// Codes i and i + kCodesPerWord / 2 of a word as a pair of T, exact, the first in the low half. Any order of the
/// channels will do, if q has the same; this one needs a shift and a mask for both codes. Setting the exponent of a
/// number whose unit in the last place is 1 turns a code into that number plus the code.
template <typename T, int kBits>
__device__ __forceinline__ std::uint32_t code_pair(std::uint32_t word, int i) {
  constexpr std::uint32_t kMask = ((1u << kBits % 16) - 1) * 0x00010001u;
  if constexpr (kBits == 16) {
    return word;
  } else if constexpr (std::is_same_v<T, device::f16>) {
    const std::uint32_t biased = (word >> i * kBits & kMask) | 0x64006400u;  // 1024 + code
    const __half2 codes = __hsub2(reinterpret_cast<const __half2&>(biased), __float2half2_rn(1024.0f));
    return reinterpret_cast<const std::uint32_t&>(codes);
  } else {
    const auto nibbles = [&](std::uint32_t mask, int shift) {
      const std::uint32_t biased = (word >> shift & mask) | 0x43004300u;  // 128 + code
      return __hsub2(reinterpret_cast<const __nv_bfloat162&>(biased), __float2bfloat162_rn(128.0f));
    };
    __nv_bfloat162 codes;
    if constexpr (kBits == 8)  // 16 · high + low, at most 255: 8 bits of significand hold it
      codes = __hfma2(nibbles(0x000f000fu, i * 8 + 4), __float2bfloat162_rn(16.0f), nibbles(0x000f000fu, i * 8));
    else
      codes = nibbles(kMask, i * kBits);
    return reinterpret_cast<const std::uint32_t&>(codes);
  }
}

}  // namespace attnscope::select::cuda
