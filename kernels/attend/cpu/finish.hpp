// SPDX-License-Identifier: Apache-2.0
// The two ends of a row: the factor that its query takes, and its output from the softmax state.
#pragma once

#include <cmath>
#include <limits>
#include <numbers>

#include "harness/base/attention.hpp"
#include "harness/base/half.hpp"

namespace attnscope::attend {

/// Queries are multiplied by this, so that weights are 2^s: s = scale · log2 e · q · k.
inline float query_factor(const AttentionInputs& in) { return in.scale * std::numbers::log2e_v<float>; }

/// Writes o and lse of `row` from o = Σ 2^(s − max) v and sum = Σ 2^(s − max); max = −infinity says no key.
inline void finish_row(const Shape& shape, std::int64_t row, const float* o, float max, float sum,
                       const AttentionOutputs& out) {
  const float factor = max == -std::numeric_limits<float>::infinity() ? 0.0f : 1.0f / sum;
  for (std::int64_t c = 0; c < shape.head_dim; ++c)
    store_element(out.o, out.partial ? Dtype::f32 : shape.dtype, row * shape.head_dim + c, o[c] * factor);
  out.lse[row] = (max + std::log2(sum)) * std::numbers::ln2_v<float>;
}

}  // namespace attnscope::attend
