// SPDX-License-Identifier: Apache-2.0
// What the rooms' definitions (Method::select_row) share: scores in double together with how far a correct float
// computation may land from them, and choices that say which indices no rounding can move. No code of the backends.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "harness/base/attention.hpp"

namespace attnscope::compose {

/// A score in double; a backend computes something in [value − error, value + error].
struct Bounded {
  double value = 0;
  double error = 0;
  double low() const { return value - error; }
  double high() const { return value + error; }
};

/// Bound on the rounding of a float dot product, as a multiple of Σ_c |x_c y_c|.
///
/// The terms may be added in any order, by fused multiply-adds or by tensor cores. Rounded to nearest, every term meets
/// at most one rounding as a product and length − 1 as part of a sum, 2^-24 each. Tensor cores form products exactly
/// but add blocks of 8 or more of them by aligning all addends to the largest and cutting them off there, then cut the
/// block's sum: at most length + length/4 cuts (length/8 blocks, counted twice for scores that split q by sign), each
/// below 2^-23 of a magnitude that Σ|x_c y_c| bounds (Fasi, Higham, Mikaitis, Pranesh 2021). The second is the larger.
/// Two more cover a scale multiplied into q, into the sum, or both.
double dot_error(std::int64_t length);

/// Elements [first, first + out.size()) of a host tensor, as double.
void load(const void* data, Dtype dtype, std::int64_t first, std::span<double> out);

/// scale · q · k_j for each key j that `row` can see. Host pointers.
std::vector<Bounded> exact_logits(const AttentionInputs& host, const Row& row);

/// `certain` indices are taken whatever the rounding; exactly `take` of `open` are taken with them. Both ascending.
struct Choice {
  std::vector<std::int32_t> certain;
  std::vector<std::int32_t> open;
  std::int64_t take = 0;
};

/// The k largest scores, or all when there are no more than k.
Choice largest(std::span<const Bounded> scores, std::int64_t k);

}  // namespace attnscope::compose
