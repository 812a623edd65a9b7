// SPDX-License-Identifier: Apache-2.0
// The steps of observe.hpp that no other engine has, for either backend.
#pragma once

#include <cstdint>

#include "kernels/select/observe.hpp"

namespace attnscope::select {

/// Rows of scores are (head, query) with `queries` queries per head; query i sees the keys below first_limit + i: the
/// scores of the others become −infinity.
struct Future {
  std::int64_t queries = 1;
  std::int64_t first_limit = 0;
  std::int64_t end = 0;  // scores per row
};

namespace cpu {
void hide_future(const Scores& scores, const Future& future);
/// Adds the first `count` scores of every row of `some` to `all`.
void add_scores(const Scores& some, std::int64_t count, const Scores& all);
void pool_prefix(const Scores& scores, const Pool& pool, std::int64_t prefix, std::int64_t end, const Scores& pooled,
                 std::int32_t* length);
}  // namespace cpu

namespace cuda {
void hide_future(const Scores& scores, const Future& future, void* stream);
void add_scores(const Scores& some, std::int64_t count, const Scores& all, void* stream);
void pool_prefix(const Scores& scores, const Pool& pool, std::int64_t prefix, std::int64_t end, const Scores& pooled,
                 std::int32_t* length, void* stream);
}  // namespace cuda

}  // namespace attnscope::select
