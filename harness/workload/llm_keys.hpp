// SPDX-License-Identifier: Apache-2.0
// Keys and values of one KV head. Every key contains every ingredient; what a head makes of them is its query's doing,
// so that heads of different kinds share keys.
#pragma once

#include "harness/workload/llm_model.hpp"

namespace attnscope::llm {

/// Fills tiles [head_dim][kTileRows] with the rotated keys and the values of tokens [first, first + kTileRows);
/// `first` is a multiple of kTileRows.
void key_value_tile(const KvHead& head, std::int64_t first, float* keys, float* values);

}  // namespace attnscope::llm
