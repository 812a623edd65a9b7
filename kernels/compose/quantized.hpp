// SPDX-License-Identifier: Apache-2.0
// The definition of scores from a quantised copy of K (kernels/select/quantized.hpp), in obvious loops.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/compose/exact.hpp"

namespace attnscope::compose {

/// scale · q · k̂_j of one decoding row for each of `keys`, k̂ the key's `channels` after quantisation to `bits` (16: as
/// they are), with how far a float computation from the same codes may land. The codes follow from IEEE arithmetic and
/// are therefore exact. Host tensors.
std::vector<Bounded> quantized_logits(const AttentionInputs& host, const Row& row, std::int64_t bits,
                                      std::span<const std::int32_t> channels, std::span<const std::int32_t> keys);

}  // namespace attnscope::compose
