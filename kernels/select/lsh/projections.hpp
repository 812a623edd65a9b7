// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "kernels/select/lsh.hpp"

namespace attnscope::select {

/// Standard normals [tables, bits, head_dim], a function of the seed alone: more tables extend those of fewer. Rounded
/// so that bf16 and f16 hold them exactly, hence every backend multiplies by the same numbers.
std::vector<float> draw_projections(const Lsh& lsh, std::int64_t head_dim);

}  // namespace attnscope::select
