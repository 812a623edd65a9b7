// SPDX-License-Identifier: Apache-2.0
// What the stages before attention cost.
#pragma once

#include <vector>

#include "kernels/methods/magicpig/settings.hpp"

namespace attnscope::magicpig {

/// What a run met, over all batches and heads.
struct Lookups {
  double entries = 0;       // of the buckets of all queries
  double listed = 0;        // keys in the lists
  double sampled = 0;       // those of them that are indexed
  double sampled_keys = 0;  // the same, each key once per KV head
};

std::vector<StageCost> costs(const Shape& shape, const select::Lsh& lsh, const Lookups& lookups);

}  // namespace attnscope::magicpig
