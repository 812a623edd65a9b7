// SPDX-License-Identifier: Apache-2.0
// "Did you mean": the known name nearest to a mistyped one.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace attnscope {

/// The candidate of smallest edit distance to `name`; empty when there are no candidates.
std::string nearest_name(std::string_view name, std::span<const std::string> candidates);

}  // namespace attnscope
