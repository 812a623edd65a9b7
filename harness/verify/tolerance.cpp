// SPDX-License-Identifier: Apache-2.0
// A kernel computes o = Σ p_j v_j / Σ p_j, p_j = exp(s_j − m), with these roundings. u is the unit roundoff of the
// dtype (2⁻⁸ bf16, 2⁻¹¹ f16, 2⁻²⁴ f32), u₃₂ = 2⁻²⁴, n the number of attended keys, D the head dimension. Sums of
// rounding errors are taken as independent (Higham and Mary, "A new approach to probabilistic rounding error
// analysis", SISC 2019): a sum of n terms errs by λ√n u, not n u. λ = 4 covers 16 equal terms in the worst case, and
// the tail of many terms.
//
//  1. The output is rounded to the dtype:                            u ‖o‖
//  2. P is rounded to the dtype before P·V. A part of the error common to all keys scales o; the rest is independent
//     from key to key, and with w² = Σ p_j² ‖v_j‖² its sum is λ w:   u (‖o‖ + λ w)
//  3. A logit is a dot product of D terms in fp32, |δs| ≤ λ√D u₃₂ ‖scale q‖ ‖k‖, scaled by log₂e and less the maximum
//     (4 roundings of |s|), and exponentiated (8 ulp: polynomial or ex2.approx). So p has the relative error
//       η = u₃₂ (λ√D ‖scale q‖ max‖k‖ + 4 max|s| + 8):               η (‖o‖ + λ w)
//     Weights and extra logits of a method (RowTerms) may lie off by the absolute error it derives; η grows by that.
//  4. Sums over n keys in fp32:                                      λ√n u₃₂ (‖o‖ + w)
//  5. f16 is subnormal below 2⁻¹⁴, with the absolute error 2⁻²⁵: in each p_j against the largest, which has the weight
//     exp(m − lse), and in each of D outputs:                        2⁻²⁵ (λ exp(m − lse) √Σ‖v_j‖² + √D)
//
// The log-sum-exp is summed from unrounded p in fp32: it errs by η from the logits, λ√n u₃₂ from the sum, and by
// rounding m, ln and their sum.
#include "harness/verify/tolerance.hpp"

#include <cmath>

#include "harness/base/half.hpp"

namespace attnscope {
namespace {

constexpr double kLambda = 4;
constexpr double kUnit32 = unit_roundoff(Dtype::f32);
constexpr double kHalfSubnormal = 0x1p-25;

}  // namespace

RowTolerance row_tolerance(Dtype dtype, std::int64_t head_dim, const RowScale& scale, double o_norm, double lse) {
  if (scale.keys == 0) return {};  // o = 0 and lse = −infinity are exact
  const double u = unit_roundoff(dtype);
  const double dim = std::sqrt(static_cast<double>(head_dim));
  const double w = std::sqrt(scale.p2v2);
  const double eta =
      kUnit32 * (kLambda * dim * scale.q_norm * scale.max_k_norm + 4 * scale.max_abs_logit + 8) + scale.logit_error;
  const double sum = kLambda * std::sqrt(scale.keys) * kUnit32;

  RowTolerance tolerance;
  tolerance.o = u * o_norm + (u + eta) * (o_norm + kLambda * w) + sum * (o_norm + w);
  if (dtype == Dtype::f16)
    tolerance.o += kHalfSubnormal * (kLambda * std::exp(scale.max_logit - lse) * std::sqrt(scale.v2) + dim);
  tolerance.lse = eta + sum + 2 * kUnit32 * (scale.max_abs_logit + std::abs(lse));
  return tolerance;
}

}  // namespace attnscope
