// SPDX-License-Identifier: Apache-2.0
// The definition of exact top-p on one row of scores: the oracle's over all keys, Twilight's over its candidates.
#pragma once

#include <span>

#include "harness/method/method.hpp"
#include "kernels/compose/exact.hpp"

namespace attnscope::compose {

/// The smallest set whose softmax mass is at least p, largest logits first; `keys` are indices into `logits`. p ≥ 1
/// asks for all of them.
RowSelection smallest_with_mass(std::span<const Bounded> logits, double p);

}  // namespace attnscope::compose
