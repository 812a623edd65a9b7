// SPDX-License-Identifier: Apache-2.0
// All selectors of this build, by name. They register themselves, like rooms.
#pragma once

#include <string_view>
#include <vector>

#include "kernels/selectors/selector.hpp"

namespace attnscope::selectors {

/// Sorted by name. Complete once static initialisation has ended.
const std::vector<const SelectorKind*>& kinds();

/// Throws Error when there is none of that name.
const SelectorKind& find_kind(std::string_view name);

/// The last line of a selector's kind.cpp: `const RegisterSelector registered(kind());`
struct RegisterSelector {
  explicit RegisterSelector(const SelectorKind& kind);
};

}  // namespace attnscope::selectors
