// SPDX-License-Identifier: Apache-2.0
// Few query rows per list of keys: keys are read where they lie, once for all query heads that share the list, and
// long lists are split over the threads.
#pragma once

#include <cstddef>

#include "harness/base/attention.hpp"
#include "kernels/core/selection.hpp"

namespace attnscope::attend {

void decode(const AttentionInputs& in, const Band& band, const AttentionOutputs& out, void* workspace);
void decode(const AttentionInputs& in, const TokenList& list, const AttentionOutputs& out, void* workspace);

/// Partial results: a bounded number of them, whatever kv_len. `heads` lists per batch and query.
std::size_t decode_workspace(const Shape& shape, std::int64_t heads);

}  // namespace attnscope::attend
