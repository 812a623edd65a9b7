// SPDX-License-Identifier: Apache-2.0
#include "kernels/attend/check.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/base/error.hpp"

namespace attnscope::attend {

void check_token_list(const TokenList& list, const Shape& shape, std::string_view where) {
  if ((list.heads != shape.q_heads && list.heads != shape.kv_heads) || list.page < 1)
    throw InputError(fmt::format("{} TokenList: expected {} or {} heads and pages of 1 key or more, found {} and {}",
                                 where, shape.q_heads, shape.kv_heads, list.heads, list.page));
  if (list.log_weight.empty()) return;
  if (list.page != 1 || list.log_weight.size() != list.indices.size())
    throw InputError(fmt::format("{} TokenList: expected log weights of {} single keys, found {} of pages of {}", where,
                                 list.indices.size(), list.log_weight.size(), list.page));
}

void check_parts(std::span<const AttentionOutputs> parts, std::string_view where) {
  if (parts.empty()) throw InputError(fmt::format("{}: expected a part or more, found none", where));
  if (!std::ranges::all_of(parts, &AttentionOutputs::partial))
    throw InputError(fmt::format("{}: expected partial results, whose o is float, found a finished one", where));
}

}  // namespace attnscope::attend
