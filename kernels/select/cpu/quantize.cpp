// SPDX-License-Identifier: Apache-2.0
// Quantised keys, rounding as quantized.hpp says.
#include <algorithm>
#include <array>
#include <cstring>

#include "harness/base/half.hpp"
#include "kernels/select/engines.hpp"

// foreach_target.h compiles this file once per instruction set and comes before what it compiles.
// clang-format off
#include "kernels/core/simd_targets.hpp"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/select/cpu/quantize.cpp"
#include <hwy/foreach_target.h>

#include "kernels/core/simd-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace attnscope::select {
namespace HWY_NAMESPACE {

using namespace attnscope::HWY_NAMESPACE;  // the vocabulary of this instruction set

void widen_key(const void* k, Dtype dtype, std::int64_t dim, float* out) {
  with_element(dtype, [&](auto type) HWY_ATTR { widen_row(static_cast<decltype(type)>(k), dim, 1.0f, out); });
}

// Codes of one key, an integer each. `count` is a multiple of 16. Nothing here can be contracted to a fused operation.
QuantizedKeys::Range quantize_key(const float* k, std::int64_t count, int bits, std::int32_t* codes) {
  const F32 d;
  const hn::RebindToSigned<F32> di;
  VecF low = hn::LoadU(d, k), high = low;
  for (std::int64_t c = kLanes; c < count; c += kLanes) {
    low = hn::Min(low, hn::LoadU(d, k + c));
    high = hn::Max(high, hn::LoadU(d, k + c));
  }
  const float levels = static_cast<float>((1 << bits) - 1);
  const float min = hn::GetLane(hn::MinOfLanes(d, low)) + 0.0f;  // −0 becomes +0
  const float step = std::max(hn::GetLane(hn::MaxOfLanes(d, high)) - min, 1e-9f) / levels;
  const VecF vmin = hn::Set(d, min), vstep = hn::Set(d, step), vlevels = hn::Set(d, levels);
  const VecF magic =
      hn::Set(d, 0x1p23f);  // adding it rounds to an integer, ties to even, and leaves it in the low bits
  for (std::int64_t c = 0; c < count; c += kLanes) {
    const VecF x = hn::Min(hn::Div(hn::Sub(hn::LoadU(d, k + c), vmin), vstep), vlevels);
    hn::StoreU(hn::And(hn::BitCast(di, hn::Add(x, magic)), hn::Set(di, 0xff)), di, codes + c);
  }
  return {float_to_f16(step), float_to_f16(min)};
}

}  // namespace HWY_NAMESPACE
}  // namespace attnscope::select
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace attnscope::select {

HWY_EXPORT(widen_key);
HWY_EXPORT(quantize_key);

namespace cpu {
namespace {

constexpr std::int64_t kMaxHeadDim = 128;

// channels[n] at bit n · bits, little-endian.
void pack(const std::int32_t* codes, std::int64_t channels, int bits, std::byte* out) {
  const std::int64_t per_byte = 8 / bits;
  for (std::int64_t n = 0; n < channels; n += per_byte) {
    std::int32_t byte = 0;
    for (std::int64_t i = 0; i < per_byte; ++i) byte |= codes[n + i] << (i * bits);
    *out++ = static_cast<std::byte>(byte);
  }
}

}  // namespace

void quantize_keys(const AttentionInputs& in, const QuantizedKeys& keys) {
  const Shape& shape = in.shape;
  const std::int64_t d = shape.head_dim, element = size_of(shape.dtype), bytes = row_bytes(keys, shape.dtype);
  const std::int64_t planes = keys.heads / shape.kv_heads;
  const std::int64_t sequences = shape.batch * shape.kv_heads;
#pragma omp parallel for schedule(static)
  for (std::int64_t n = 0; n < sequences * shape.kv_len; ++n) {
    const std::int64_t kv = n / shape.kv_len % shape.kv_heads;
    const std::int64_t row = in.kv_rows(n / shape.kv_len / shape.kv_heads, kv).row(n % shape.kv_len);
    const auto* const k = static_cast<const std::byte*>(in.k) + row * d * element;
    std::array<float, kMaxHeadDim> wide, kept;
    std::array<std::int32_t, kMaxHeadDim> codes;
    HWY_DYNAMIC_DISPATCH(widen_key)(k, shape.dtype, d, wide.data());
    for (std::int64_t plane = 0; plane < planes; ++plane) {
      const std::int32_t* channel = keys.channel ? keys.channel + (kv * planes + plane) * keys.channels : nullptr;
      std::byte* const out = keys.codes + (plane * keys.rows + row) * bytes;
      if (keys.bits == 16) {
        for (std::int64_t c = 0; c < keys.channels; ++c)
          std::memcpy(out + c * element, k + (channel ? channel[c] : c) * element, static_cast<std::size_t>(element));
        continue;
      }
      for (std::int64_t c = 0; c < keys.channels; ++c)
        kept[static_cast<std::size_t>(c)] = wide[static_cast<std::size_t>(channel ? channel[c] : c)];
      keys.ranges[plane * keys.rows + row] =
          HWY_DYNAMIC_DISPATCH(quantize_key)(kept.data(), keys.channels, keys.bits, codes.data());
      pack(codes.data(), keys.channels, keys.bits, out);
    }
  }
}

}  // namespace cpu
}  // namespace attnscope::select
#endif  // HWY_ONCE
