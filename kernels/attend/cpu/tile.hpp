// SPDX-License-Identifier: Apache-2.0
// The unit of prefill work: a tile of query rows against a tile of keys, with online softmax. Inputs are widened to
// float once, when they are packed; everything after that is fp32.
#pragma once

#include <cstdint>

#include "harness/base/attention.hpp"
#include "kernels/core/selection.hpp"

namespace attnscope::attend {

/// 192 rows are 16 strips of 12 (AVX-512, NEON) or 32 of 6 (AVX2). 256 keys of K and V at head_dim 128 are 256 KiB of
/// floats: they stay in the L2 of one core while the strips of a query tile pass over them.
inline constexpr std::int64_t kTileRows = 192;
inline constexpr std::int64_t kTileKeys = 256;
inline constexpr std::int64_t kMaxHeadDim = 128;

/// Floats of one packed tile of keys: Kᵀ panels, then V panels.
constexpr std::int64_t packed_tile_floats(std::int64_t head_dim) { return 2 * kTileKeys * head_dim; }

/// Query rows of one KV head and the state of their softmax. Rows from `rows` on are padding: zero, and never written.
struct QueryTile {
  alignas(64) float q[kTileRows * kMaxHeadDim];  // [kTileRows, head_dim], times scale · log2 e
  alignas(64) float o[kTileRows * kMaxHeadDim];  // Σ 2^(s − max) v so far
  float max[kTileRows];                          // largest s so far, s in units of log2
  float sum[kTileRows];                          // Σ 2^(s − max) so far
  KeyRange keys[kTileRows];                      // what each row attends in the segment being walked; empty for padding
  std::int64_t row[kTileRows];                   // row of q, o and lse
  std::int64_t rows = 0;
};

/// Packs keys [0, count) of k and v, count ≤ kTileKeys, into `packed`; the rest of the tile becomes zero.
void pack_tile(const void* k, const void* v, Dtype dtype, std::int64_t count, std::int64_t head_dim, float* packed);

/// Fetches the rows named in tile.row and clears the softmax state.
void load_rows(const AttentionInputs& in, QueryTile& tile);

/// Lets every row attend tile.keys[row] ∩ [first, end), a range within the packed tile that starts at key `tile_first`.
void attend_tile(const float* packed, std::int64_t tile_first, std::int64_t first, std::int64_t end,
                 std::int64_t head_dim, QueryTile& tile);

/// Divides by the sums and writes o and lse of every row.
void store_rows(const QueryTile& tile, const Shape& shape, const AttentionOutputs& out);

}  // namespace attnscope::attend
