// SPDX-License-Identifier: Apache-2.0
// The precision of the element types; scalar conversions between float and the two half types, round to nearest even,
// NaN stays NaN.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include "harness/base/shape.hpp"

namespace attnscope {

/// The largest relative error of rounding a normal number to `dtype`: 2^-p with p bits of significand.
constexpr double unit_roundoff(Dtype dtype) {
  switch (dtype) {
    case Dtype::bf16:
      return 0x1p-8;
    case Dtype::f16:
      return 0x1p-11;
    case Dtype::f32:
      break;
  }
  return 0x1p-24;
}

inline float bf16_to_float(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

inline std::uint16_t float_to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<std::uint16_t>((bits >> 16) | 0x40u);
  return static_cast<std::uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

inline float f16_to_float(std::uint16_t bits) {
  const auto sign = static_cast<std::uint32_t>(bits & 0x8000u) << 16;
  const std::uint32_t exponent = (bits >> 10) & 0x1fu;
  const std::uint32_t mantissa = bits & 0x3ffu;
  if (exponent == 0x1fu) return std::bit_cast<float>(sign | 0x7f800000u | (mantissa << 13));
  if (exponent == 0) {  // zero or subnormal: mantissa · 2^-24
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
    return sign ? -magnitude : magnitude;
  }
  return std::bit_cast<float>(sign | ((exponent + 112u) << 23) | (mantissa << 13));
}

inline std::uint16_t float_to_f16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000u);
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return static_cast<std::uint16_t>(sign | 0x7e00u);
  if (magnitude >= 0x477ff000u) return static_cast<std::uint16_t>(sign | 0x7c00u);  // ≥ 65520 rounds to infinity
  if (magnitude < 0x38800000u) {  // below 2^-14: subnormal; adding 0.5 aligns the mantissa and rounds
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(shifted) - 0x3f000000u));
  }
  const std::uint32_t rounded = magnitude + 0xfffu + ((magnitude >> 13) & 1u);
  return static_cast<std::uint16_t>(sign | ((rounded - 0x38000000u) >> 13));
}

/// Element `index` of a tensor of type `dtype`, as float.
inline float load_element(const void* data, Dtype dtype, std::int64_t index) {
  if (dtype == Dtype::f32) return static_cast<const float*>(data)[index];
  const auto bits = static_cast<const std::uint16_t*>(data)[index];
  return dtype == Dtype::bf16 ? bf16_to_float(bits) : f16_to_float(bits);
}

/// Rounds `value` to `dtype` and stores it as element `index`.
inline void store_element(void* data, Dtype dtype, std::int64_t index, float value) {
  if (dtype == Dtype::f32)
    static_cast<float*>(data)[index] = value;
  else
    static_cast<std::uint16_t*>(data)[index] = dtype == Dtype::bf16 ? float_to_bf16(value) : float_to_f16(value);
}

}  // namespace attnscope
