// SPDX-License-Identifier: Apache-2.0
#include "harness/workload/llm_sphere.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace attnscope::llm {
namespace {

constexpr float kTiny = 1e-30f;  // a zero vector stays zero

}  // namespace

void normalise_rows(std::int64_t dims, float* tile) {
  std::array<float, kTileRows> scale{};
  for (std::int64_t c = 0; c < dims; ++c)
    for (std::int64_t r = 0; r < kTileRows; ++r) scale[r] += tile[c * kTileRows + r] * tile[c * kTileRows + r];
  for (float& s : scale) s = 1.0f / std::sqrt(std::max(s, kTiny));
  for (std::int64_t c = 0; c < dims; ++c)
    for (std::int64_t r = 0; r < kTileRows; ++r) tile[c * kTileRows + r] *= scale[r];
}

void aim_row(std::span<const float> direction, float cosine, float* row) {
  float along = 0;
  for (std::size_t c = 0; c < direction.size(); ++c) along += direction[c] * row[c * kTileRows];
  const float across = std::sqrt(std::max(1 - along * along, kTiny));
  const float rest = std::sqrt(1 - cosine * cosine) / across;
  for (std::size_t c = 0; c < direction.size(); ++c) {
    float& x = row[c * kTileRows];
    x = cosine * direction[c] + rest * (x - along * direction[c]);
  }
}

}  // namespace attnscope::llm
