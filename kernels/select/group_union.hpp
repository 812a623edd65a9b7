// SPDX-License-Identifier: Apache-2.0
// Under GQA a kernel that reads each key once for a whole group attends to the union of the group's lists (Twilight,
// arXiv 2502.02770, App. B.2).
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/core/queue.hpp"
#include "kernels/core/selection.hpp"
#include "kernels/select/select.hpp"

namespace attnscope::select {

/// One bit per key (or page) and KV head, and a few counts.
std::size_t group_union_workspace(const Queue& on, const Shape& shape, const TokenList& lists);

/// Row b · kv_heads + h of `unions` becomes the ascending union of the lists of that KV head's query heads; indices
/// keep their meaning (keys or pages). `lists` has one list per query head (q_len = 1), ascending; log weights do not
/// count. The capacity of `unions` must hold every union: the number of keys or pages always does. Throws InputError
/// when `lists` are not per query head.
void group_union(const Queue& on, const Shape& shape, const TokenList& lists, const Lists& unions, void* workspace);

}  // namespace attnscope::select
