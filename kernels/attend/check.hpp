// SPDX-License-Identifier: Apache-2.0
// What every engine asks of its arguments. `where` names the engine in the message of the InputError.
#pragma once

#include <span>
#include <string_view>

#include "harness/base/attention.hpp"
#include "kernels/core/selection.hpp"

namespace attnscope::attend {

/// Lists per query head or per KV head, of pages of a key or more; log weights parallel to the indices, of single keys.
void check_token_list(const TokenList& list, const Shape& shape, std::string_view where);

/// At least one part, all of them partial results.
void check_parts(std::span<const AttentionOutputs> parts, std::string_view where);

}  // namespace attnscope::attend
