// SPDX-License-Identifier: Apache-2.0
// The attention weights that the query heads of a group give together: how RetroInfer (arXiv 2505.02922) and PQCache
// (arXiv 2407.12820) rank clusters and keys once per KV head.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/core/queue.hpp"
#include "kernels/select/select.hpp"

namespace attnscope::select {

std::size_t group_sum_workspace(const Queue& on, const Scores& scores);

/// Row k of `sums` = Σ over rows r = k · group … (k + 1) · group − 1 of softmax(row r of `scores`), computed in fp32.
/// Rows of one group must be equally long; length[k] is written too. A score of −infinity has weight 0, also where a
/// row has no other. `sums.rows` must be scores.rows / group; the two may not overlap.
void group_sum(const Queue& on, const Scores& scores, std::int64_t group, const Scores& sums, std::int32_t* length,
               void* workspace);

}  // namespace attnscope::select
