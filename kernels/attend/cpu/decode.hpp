// SPDX-License-Identifier: Apache-2.0
// Few query rows per list of keys: keys are read where they lie, once for all query heads that share the list, and
// lists are shared out over the threads by their total length.
#pragma once

#include <cstddef>

#include "harness/base/attention.hpp"
#include "kernels/core/selection.hpp"

namespace attnscope::attend {

void decode(const AttentionInputs& in, const Band& band, const AttentionOutputs& out, void* workspace);
void decode(const AttentionInputs& in, const TokenList& list, const AttentionOutputs& out, void* workspace);

/// Partial results: as many as there are lists and a bounded number more, whatever kv_len. `heads` lists per batch and
/// query.
std::size_t decode_workspace(const Shape& shape, std::int64_t heads);

}  // namespace attnscope::attend
