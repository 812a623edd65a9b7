// SPDX-License-Identifier: Apache-2.0
// The definition of top-p on one row of scores.
#pragma once

#include <span>

#include "harness/method/method.hpp"
#include "kernels/compose/exact.hpp"

namespace attnscope::oracle_topp {

/// The smallest set of keys whose softmax mass is at least p, largest logits first. p ≥ 1 asks for every key.
RowSelection select(std::span<const compose::Bounded> logits, double p);

}  // namespace attnscope::oracle_topp
