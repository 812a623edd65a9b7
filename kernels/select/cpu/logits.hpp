// SPDX-License-Identifier: Apache-2.0
// The unit of scoring work.
#pragma once

#include <cstdint>

#include "kernels/select/select.hpp"

namespace attnscope::select {

/// Keys of one unit: packed at head_dim 128 they are 128 KiB of floats and stay in L2.
inline constexpr std::int64_t kBlockKeys = 256;
inline constexpr std::int64_t kMaxHeadDim = 128;

/// Scores of all query rows of KV head `kv_head` (over the batch) with keys [block · kBlockKeys, (block + 1) ·
/// kBlockKeys).
void score_block(const AttentionInputs& in, const QueryRange& range, std::int64_t kv_head, std::int64_t block,
                 const Scores& scores);

}  // namespace attnscope::select
