// SPDX-License-Identifier: Apache-2.0
// Double Sparsity's choice as a selector: the keys of largest score over a few calibrated channels, per query head.
#pragma once

#include "kernels/selectors/selector.hpp"

namespace attnscope::double_sparsity {

/// Parameters `budget`, `channels`, `bits`, `channels_from`, `labels`.
const selectors::SelectorKind& kind();

}  // namespace attnscope::double_sparsity
