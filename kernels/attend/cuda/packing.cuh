// SPDX-License-Identifier: Apache-2.0
// Which query rows share a sequence of keys, and their tiles of 16: what one m16n8k16 product takes.
#pragma once

#include <cstdint>

#include "kernels/attend/cuda/keys.cuh"

namespace attnscope::device {

inline constexpr int kTileRows = 16;

/// Rows under one sequence are packed into tiles: row m of group g is query i0 + m / share of head h0 + m % share, with
/// h0 = (g / span) · share and i0 = g % span.
struct Packing {
  int share = 1;       // query heads under one sequence
  int span = 1;        // sequences per head
  int group_rows = 1;  // rows under one sequence
  int group_tiles = 1;

  Packing() = default;
  Packing(std::int64_t share, std::int64_t span, std::int64_t group_rows)
      : share(static_cast<int>(share)),
        span(static_cast<int>(span)),
        group_rows(static_cast<int>(group_rows)),
        group_tiles(static_cast<int>((group_rows + kTileRows - 1) / kTileRows)) {}

  /// Tiles over `heads` query heads of all sequences of the batch.
  std::int64_t tiles(std::int64_t heads) const { return heads / share * span * group_tiles; }
  int tile_rows() const { return group_rows < kTileRows ? group_rows : kTileRows; }
};

/// Where a tile's rows lie.
struct TileRows {
  int head0;  // counted over the batch
  int query0;
  int first;  // packed number of the tile's first row
  int count;

  __device__ TileRows(const Packing& packing, int tile) {
    const int group = tile / packing.group_tiles;
    head0 = group / packing.span * packing.share;
    query0 = group % packing.span;
    first = tile % packing.group_tiles * kTileRows;
    count = min(kTileRows, packing.group_rows - first);
  }
  __device__ int query(const Packing& packing, int local) const { return query0 + (first + local) / packing.share; }
  /// Row of q, o and lse, counted over batch, head and query.
  __device__ std::int64_t row(const Packing& packing, const Axis& axis, int local) const {
    return std::int64_t{head0 + (first + local) % packing.share} * axis.q_len + query(packing, local);
  }
};

}  // namespace attnscope::device
