// SPDX-License-Identifier: Apache-2.0
// Unit vectors in tiles [dimension][kTileRows]: what content is made of.
#pragma once

#include <cstdint>
#include <span>

#include "harness/workload/noise.hpp"

namespace attnscope::llm {

/// Scales every row of the tile to length 1.
void normalise_rows(std::int64_t dims, float* tile);

/// Turns the unit vector in row `row[0]`, stride kTileRows, towards the unit vector `direction`, to the cosine
/// `cosine`: its component along `direction` is set, the rest keeps its direction.
void aim_row(std::span<const float> direction, float cosine, float* row);

}  // namespace attnscope::llm
