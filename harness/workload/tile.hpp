// SPDX-License-Identifier: Apache-2.0
// From the generators' tiles, [channel][kTileRows] floats, to rows of a tensor.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/base/shape.hpp"
#include "harness/workload/noise.hpp"

namespace attnscope {

/// Scratch of one thread: `channels` rounded up to whole quads of normals, times kTileRows, floats.
inline std::vector<float> make_tile(std::int64_t channels) {
  return std::vector<float>(static_cast<std::size_t>(round_up_to_quad(channels) * kTileRows));
}

/// The rotary pairs of a tile [head_dim][kTileRows]: pair f is channels f and f + pairs.
class PairTile {
 public:
  PairTile(float* tile, std::int64_t pairs) : tile_(tile), pairs_(pairs) {}
  float* re(std::int64_t f) const { return tile_ + f * kTileRows; }
  float* im(std::int64_t f) const { return tile_ + (f + pairs_) * kTileRows; }

 private:
  float* tile_;
  std::int64_t pairs_;
};

/// Rounds rows [first, last) of `tile` to `dtype` and writes them as consecutive rows of `head_dim` elements, beginning
/// at element `offset` of `tensor`.
void store_tile(const float* tile, std::int64_t first, std::int64_t last, std::int64_t head_dim, Dtype dtype,
                void* tensor, std::int64_t offset);

}  // namespace attnscope
