// SPDX-License-Identifier: Apache-2.0
// Attention of one row in double over attended keys with weights and over extra terms: the judge of methods that
// correct what they leave out.
#pragma once

#include "harness/method/method.hpp"
#include "harness/verify/exact.hpp"

namespace attnscope {

/// As `terms` says (RowTerms); attention_over when it says nothing. Host tensors.
AttentionRows attention_with(const AttentionInputs& host, const Row& row, std::span<const std::int32_t> keys,
                             const RowTerms& terms, int threads);

}  // namespace attnscope
