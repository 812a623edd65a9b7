// SPDX-License-Identifier: Apache-2.0
// Quest's choice of pages as a selector.
#pragma once

#include "kernels/selectors/selector.hpp"

namespace attnscope::quest {

/// Parameters `page` and `budget`.
const selectors::SelectorKind& kind();

}  // namespace attnscope::quest
