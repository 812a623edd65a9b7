// SPDX-License-Identifier: Apache-2.0
// StreamingLLM's band as a selector: the sink and the most recent keys, whatever the query.
#pragma once

#include "kernels/selectors/selector.hpp"

namespace attnscope::streaming {

/// Parameters `sink` and `window`.
const selectors::SelectorKind& kind();

}  // namespace attnscope::streaming
