// SPDX-License-Identifier: Apache-2.0
// From positions in a row of scores back to the keys that were scored.
#pragma once

#include <cstdint>

#include "kernels/core/queue.hpp"
#include "kernels/core/selection.hpp"
#include "kernels/select/select.hpp"

namespace attnscope::select {

/// Replaces every index in `lists` by a key: index n, a position in the scores of `candidates`, becomes the n-th key of
/// the row's candidates (of a page every key counts). Ascending positions become ascending keys. Row r of `lists`
/// belongs to head r % heads of sequence r / heads, where `heads` is q_heads or kv_heads; candidates are those of that
/// head, or of its KV head. Counts stay.
void positions_to_keys(const Queue& on, const Shape& shape, const TokenList& candidates, const Lists& lists,
                       std::int64_t heads);

}  // namespace attnscope::select
