// SPDX-License-Identifier: Apache-2.0
// Costs of the steps that rooms share; the convention is in harness/method/stage.hpp.
#pragma once

#include "harness/base/shape.hpp"
#include "harness/method/stage.hpp"

namespace attnscope::compose {

/// Attention over `pairs` (query, key) pairs that read `kv_rows` rows of K and as many of V, summed over all batches
/// and KV heads, guided by `list_bytes` of selection.
StageCost attend_cost(const Shape& shape, double pairs, double kv_rows, double list_bytes);

/// Exact logits of every visible pair.
StageCost logits_cost(const Shape& shape);

/// A choice among `scores` scores in rows of their own length, `flops_per_score` operations each, that writes lists
/// with `entries` indices in all.
StageCost choice_cost(std::string name, const Shape& shape, double scores, double flops_per_score, double entries);

}  // namespace attnscope::compose
