// SPDX-License-Identifier: Apache-2.0
// Quest's arithmetic of pages, its definition of a selection, and what it costs.
#pragma once

#include <cstdint>
#include <memory>

#include "kernels/selectors/selector.hpp"

namespace attnscope::quest {

/// How a budget of keys becomes pages. The last page is the one that decoding is filling: it is never ranked and always
/// attended, and therefore counts towards the budget.
struct Pages {
  std::int64_t page = 16;   // keys
  std::int64_t total = 0;   // in the context, the last possibly short
  std::int64_t budget = 0;  // attended per query head, at least 1
  std::int64_t ranked() const { return total - 1; }
  bool keeps_all() const { return total <= budget; }
};

Pages pages_of(const Shape& shape, const Params& params);

RowSelection select_row(const AttentionInputs& host, const Pages& pages, const Row& row);

/// Stages `page_bounds` (build), `page_scores` and `top_k`. Requires !pages.keeps_all() and q_len = 1.
std::unique_ptr<selectors::Selector> make_selector(Backend backend, const Task& task, const Pages& pages);

/// Cost of the build: reading K, writing its bounds.
StageCost page_bounds_cost(const Shape& shape, const Pages& pages);
/// Cost of scoring every ranked page for every query head.
StageCost page_scores_cost(const Shape& shape, const Pages& pages);

}  // namespace attnscope::quest
