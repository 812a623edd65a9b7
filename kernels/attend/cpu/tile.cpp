// SPDX-License-Identifier: Apache-2.0
#include "kernels/attend/cpu/tile.hpp"

#include <algorithm>
#include <limits>

#include "kernels/attend/cpu/finish.hpp"

// foreach_target.h compiles this file once per instruction set and comes before what it compiles.
// clang-format off
#include "kernels/core/simd_targets.hpp"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/attend/cpu/tile.cpp"
#include <hwy/foreach_target.h>

#include "kernels/attend/cpu/softmax-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace attnscope::attend {
namespace HWY_NAMESPACE {

void pack_tile(const void* k, const void* v, Dtype dtype, std::int64_t count, std::int64_t head_dim, float* packed) {
  std::fill_n(packed, packed_tile_floats(head_dim), 0.0f);
  with_element(dtype, [&](auto type) HWY_ATTR {
    pack_transposed(static_cast<decltype(type)>(k), count, head_dim, packed);
    float* values = packed + kTileKeys * head_dim;  // [head_dim / kPanel][kTileKeys][kPanel]
    const auto* row = static_cast<decltype(type)>(v);
    for (std::int64_t key = 0; key < count; ++key, row += head_dim)
      for (std::int64_t c = 0; c < head_dim; c += kPanel)
        widen_row(row + c, kPanel, 1.0f, values + c * kTileKeys + key * kPanel);
  });
}

void load_rows(const AttentionInputs& in, QueryTile& tile) {
  const std::int64_t d = in.shape.head_dim;
  std::fill_n(tile.max, kTileRows, -std::numeric_limits<float>::infinity());
  std::fill_n(tile.sum, kTileRows, 0.0f);
  std::fill_n(tile.keys, kTileRows, KeyRange{});
  std::fill_n(tile.o, kTileRows * d, 0.0f);
  std::fill(tile.q + tile.rows * d, tile.q + kTileRows * d, 0.0f);
  with_element(in.shape.dtype, [&](auto type) HWY_ATTR {
    for (std::int64_t r = 0; r < tile.rows; ++r)
      widen_row(static_cast<decltype(type)>(in.q) + tile.row[r] * d, d, query_factor(in), tile.q + r * d);
  });
}

// One strip of the query tile, from row r0, against columns [begin, end) of the packed tile, kPanel-aligned.
template <std::int64_t kDim>
void attend_strip(const float* HWY_RESTRICT packed, std::int64_t tile_first, KeyRange within, std::int64_t begin,
                  std::int64_t end, std::int64_t r0, QueryTile& tile) {
  const F32 d;
  HWY_ALIGN float scores[kStripRows * kTileKeys];
  Strip strip;
  for (std::int64_t c = begin; c < end; c += kPanel) {
    multiply<kDim>(tile.q + r0 * kDim, packed + c * kDim, kDim, strip);
#pragma GCC unroll 12
    for (std::int64_t r = 0; r < kStripRows; ++r) {
      hn::Store(strip.acc[r][0], d, scores + r * kTileKeys + c);
      hn::Store(strip.acc[r][1], d, scores + r * kTileKeys + c + kLanes);
    }
  }

  float rescale[kStripRows];
  for (std::int64_t r = 0; r < kStripRows; ++r) {
    const KeyRange keys = tile.keys[r0 + r];
    const KeyRange valid{std::max(keys.begin, within.begin) - tile_first, std::min(keys.end, within.end) - tile_first};
    rescale[r] = soften(scores + r * kTileKeys, begin, end, valid, tile.max[r0 + r], tile.sum[r0 + r]);
  }

  // Each tile's products are summed on their own and then added: two levels of summation, so that the rounding error
  // grows with kTileKeys plus the number of tiles and not with the number of keys.
  const float* values = packed + kTileKeys * kDim;
  for (std::int64_t c = 0; c < kDim; c += kPanel) {
    multiply<kTileKeys>(scores + begin, values + c * kTileKeys + begin * kPanel, end - begin, strip);
#pragma GCC unroll 12
    for (std::int64_t r = 0; r < kStripRows; ++r) {
      float* o = tile.o + (r0 + r) * kDim + c;
      const VecF factor = hn::Set(d, rescale[r]);
      hn::Store(hn::MulAdd(hn::Load(d, o), factor, strip.acc[r][0]), d, o);
      hn::Store(hn::MulAdd(hn::Load(d, o + kLanes), factor, strip.acc[r][1]), d, o + kLanes);
    }
  }
}

template <std::int64_t kDim>
void attend_strips(const float* packed, std::int64_t tile_first, KeyRange within, QueryTile& tile) {
  for (std::int64_t r0 = 0; r0 < tile.rows; r0 += kStripRows) {
    KeyRange needed{within.end, within.begin};
    for (std::int64_t r = r0; r < r0 + kStripRows; ++r) {
      if (tile.keys[r].end <= tile.keys[r].begin) continue;
      needed.begin = std::min(needed.begin, tile.keys[r].begin);
      needed.end = std::max(needed.end, tile.keys[r].end);
    }
    const std::int64_t begin = std::max(needed.begin, within.begin) - tile_first;
    const std::int64_t end = std::min(needed.end, within.end) - tile_first;
    if (begin < end)
      attend_strip<kDim>(packed, tile_first, within, begin / kPanel * kPanel, (end + kPanel - 1) / kPanel * kPanel, r0,
                         tile);
  }
}

void attend_tile(const float* packed, std::int64_t tile_first, std::int64_t first, std::int64_t end,
                 std::int64_t head_dim, QueryTile& tile) {
  const KeyRange within{first, end};
  switch (head_dim) {
    case 32:
      return attend_strips<32>(packed, tile_first, within, tile);
    case 64:
      return attend_strips<64>(packed, tile_first, within, tile);
    default:
      return attend_strips<128>(packed, tile_first, within, tile);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace attnscope::attend
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace attnscope::attend {

HWY_EXPORT(pack_tile);
HWY_EXPORT(load_rows);
HWY_EXPORT(attend_tile);

void pack_tile(const void* k, const void* v, Dtype dtype, std::int64_t count, std::int64_t head_dim, float* packed) {
  HWY_DYNAMIC_DISPATCH(pack_tile)(k, v, dtype, count, head_dim, packed);
}

void load_rows(const AttentionInputs& in, QueryTile& tile) { HWY_DYNAMIC_DISPATCH(load_rows)(in, tile); }

void attend_tile(const float* packed, std::int64_t tile_first, std::int64_t first, std::int64_t end,
                 std::int64_t head_dim, QueryTile& tile) {
  HWY_DYNAMIC_DISPATCH(attend_tile)(packed, tile_first, first, end, head_dim, tile);
}

void store_rows(const QueryTile& tile, const Shape& shape, const AttentionOutputs& out) {
  for (std::int64_t r = 0; r < tile.rows; ++r)
    finish_row(shape, tile.row[r], tile.o + r * shape.head_dim, tile.max[r], tile.sum[r], out);
}

}  // namespace attnscope::attend
#endif  // HWY_ONCE
