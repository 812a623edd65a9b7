// SPDX-License-Identifier: Apache-2.0
// What earlier queries attended to: how SnapKV (arXiv 2404.14469) and H2O (arXiv 2306.14048) judge which keys are worth
// keeping before the next query is known.
#pragma once

#include <cstddef>
#include <cstdint>

#include "harness/base/attention.hpp"
#include "kernels/core/queue.hpp"
#include "kernels/select/select.hpp"

namespace attnscope::select {

/// Bytes of workspace for the `queries` latest earlier queries: scores of as many of them at a time as a bound on
/// memory allows, at least one of every query head.
std::size_t observe_workspace(const Queue& on, const AttentionInputs& in, std::int64_t queries, std::int64_t stride);

/// Row b · q_heads + h of `sums`: Σ over the `queries` ≤ shape.history latest earlier queries i of that head of
/// softmax_j(scale · q_i · k_j), for every key j before the first query row of the call; each query sees the keys up to
/// its own position. In fp32, in a fixed order. q_len = 1. length[r] is written too.
void observed_attention(const Queue& on, const AttentionInputs& in, std::int64_t queries, const Scores& sums,
                        std::int32_t* length, void* workspace);

/// A 1-D pool of stride 1 that keeps the length: over `width` (odd) neighbours, fewer at the ends.
struct Pool {
  enum class Kind { max, mean };
  std::int64_t width = 1;
  Kind kind = Kind::max;
};

/// Row r of `pooled`: scores[0 .. prefix) pooled; a mean divides by the width at the ends too, as SnapKV's does. The
/// scores from `prefix` to `end` become +infinity: whatever ranks the row takes them first. length[r] = end.
void pool_prefix(const Queue& on, const Scores& scores, const Pool& pool, std::int64_t prefix, std::int64_t end,
                 const Scores& pooled, std::int32_t* length);

}  // namespace attnscope::select
