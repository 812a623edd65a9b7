// SPDX-License-Identifier: Apache-2.0
// Rotary position embedding on tiles: pair f (channels f and f + F, F = head_dim/2) turns by position · base^(−f/F).
#pragma once

#include <cstdint>
#include <vector>

#include "harness/workload/noise.hpp"

namespace attnscope {

class Rotation {
 public:
  Rotation(double base, std::int64_t head_dim);

  std::int64_t pairs() const { return static_cast<std::int64_t>(turns_.size()); }
  /// Turns (angle / 2π) of pair f per position.
  double turns(std::int64_t f) const { return turns_[static_cast<std::size_t>(f)]; }
  /// cos and sin of pair f at positions 0 … kTileRows − 1.
  const double* cosine(std::int64_t f) const { return &cosine_[static_cast<std::size_t>(f * kTileRows)]; }
  const double* sine(std::int64_t f) const { return &sine_[static_cast<std::size_t>(f * kTileRows)]; }

  /// Turns every pair of a tile [head_dim][kTileRows] whose first row stands at position `first`, a multiple of
  /// kTileRows: one exact phase per pair and tile, then the table.
  void rotate(std::int64_t first, float* tile) const;

 private:
  std::vector<double> turns_;
  std::vector<double> cosine_, sine_;  // [pair][kTileRows]
};

}  // namespace attnscope
