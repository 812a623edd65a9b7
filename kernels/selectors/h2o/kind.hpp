// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/selectors/selector.hpp"

namespace attnscope::h2o {

/// H2O: the heavy hitters of all observed queries and the most recent keys. Parameters `share`, `recent`.
const selectors::SelectorKind& kind();

}  // namespace attnscope::h2o
