// SPDX-License-Identifier: Apache-2.0
// The unit of decode work: a few query rows against a block of keys named by their rows, read where they lie.
#pragma once

#include <cstdint>
#include <span>

#include "harness/base/attention.hpp"

namespace attnscope::attend {

/// Keys per block: at head_dim 128, K and V of a block in bf16 fill 32 KiB, so that rows beyond the first few reread
/// them from L1.
inline constexpr std::int64_t kGatherKeys = 64;

/// Query rows that share their keys, and the state of their softmax. Every array is 64-byte aligned.
struct GatherRows {
  std::int64_t rows = 0;
  float* q = nullptr;        // [rows, head_dim], times query_factor; channels in an order of the engine's own
  float* o = nullptr;        // [rows, head_dim], Σ 2^(s − max) v so far, in the same order
  float* weights = nullptr;  // [rows, kGatherKeys], scratch
  float* max = nullptr;      // [rows]
  float* sum = nullptr;      // [rows]
};

/// Fetches rows first_row + r · stride of q, r < state.rows, and clears the softmax state.
void load_rows(const AttentionInputs& in, std::int64_t first_row, std::int64_t stride, const GatherRows& state);

/// Keys by their rows of k and v, in rows of head_dim elements from the start of each.
struct GatherKeys {
  std::span<const std::int64_t> rows;
  std::span<const float> log_weight;  // parallel to rows, in natural-log units, or empty for none
};

/// Lets every row attend `keys`, at most kGatherKeys. Meanwhile rows `next` of k, the block to come, are prefetched.
void attend_keys(const AttentionInputs& in, const GatherKeys& keys, std::span<const std::int64_t> next,
                 const GatherRows& state);

/// Puts the channels of o back into their natural order, once nothing more is added.
void restore_order(Dtype dtype, std::int64_t head_dim, const GatherRows& state);

}  // namespace attnscope::attend
