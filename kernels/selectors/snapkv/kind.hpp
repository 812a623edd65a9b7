// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/selectors/selector.hpp"

namespace attnscope::snapkv {

/// SnapKV: the prefix keys that the last queries of the prompt attended to, pooled, and those queries' own keys.
/// Parameters `budget`, `observe`, `pool_width`, `pool`.
const selectors::SelectorKind& kind();

}  // namespace attnscope::snapkv
