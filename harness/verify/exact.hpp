// SPDX-License-Identifier: Apache-2.0
// Attention of chosen rows in double: the judge of every kernel and of every method.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "harness/base/attention.hpp"

namespace attnscope {

/// The magnitudes of one row's sum from which a kernel's rounding error follows (tolerance.hpp). p are the softmax
/// weights over the attended keys.
struct RowScale {
  double keys = 0;                                              // number of attended keys
  double max_logit = -std::numeric_limits<double>::infinity();  // largest s_j = scale · q · k_j
  double max_abs_logit = 0;                                     // largest |s_j|
  double q_norm = 0;                                            // ‖scale · q‖
  double max_k_norm = 0;                                        // largest ‖k_j‖
  double p2v2 = 0;                                              // Σ p_j² ‖v_j‖²
  double v2 = 0;                                                // Σ ‖v_j‖²
  double logit_error = 0;                                       // allowed in a logit beyond its rounding (RowTerms)
};

/// Attention of some rows. A row without keys has o = 0 and lse = −infinity.
struct AttentionRows {
  std::vector<Row> rows;
  std::vector<double> o;  // [rows, head_dim]
  std::vector<double> lse;
  std::vector<RowScale> scale;

  std::span<const double> output(std::size_t row) const {
    const std::size_t head_dim = o.size() / rows.size();
    return std::span(o).subspan(row * head_dim, head_dim);
  }
};

/// Exact attention of `rows` over all keys that they see. Host tensors of any dtype and shape, finite values. The
/// result does not depend on `threads`.
AttentionRows exact_attention(const AttentionInputs& host, std::span<const Row> rows, int threads);

/// Attention of one row over `keys` (in range, distinct) and no others.
AttentionRows attention_over(const AttentionInputs& host, const Row& row, std::span<const std::int32_t> keys,
                             int threads);

/// The weight exp(s_key − lse) of `key` in a softmax whose log-sum-exp is `lse`.
double softmax_weight(const AttentionInputs& host, const Row& row, double lse, std::int64_t key);

}  // namespace attnscope
