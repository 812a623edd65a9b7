// SPDX-License-Identifier: Apache-2.0
// Planted key–value pairs that exact attention provably retrieves, among Gaussian distractors, at any length.
#pragma once

#include <cstdint>

#include "harness/workload/workload.hpp"

namespace attnscope {

const Workload& needle_workload();

/// Standard deviation σ of ordinary logits in a probing row, such that the needle holds at least `mass` of every
/// probing row but for a chance of 1e-6. Derivation, with d = head_dim, N = kv_len and R probing rows: a probe is
/// q = σ √d u with |u| = 1, so that an ordinary key ξ ~ N(0, 1) has the logit σ u·ξ ~ N(0, σ²), and a needle
/// k = A u, A = strength · √d, has σ A.
///   · By the union bound over N R Gaussian tails no u·ξ exceeds t = √(2 ln(N R / 10⁻⁶)).
///   · Rounding to a type of unit roundoff r moves a logit by at most 2 r σ |k|, and |ξ| ≤ √d + t (concentration).
///   · Other needles are orthogonal to u and stay below that.
/// Then mass ≥ 1 / (1 + N e^{largest other − needle}), which reaches `mass` when
///   σ (A (1 − 2r) − t − 2r (√d + t)) ≥ ln N + ln(mass / (1 − mass)).
/// The bound is loose (it lets every ordinary key weigh as much as the heaviest): realised masses lie above.
/// Throws InputError naming `strength` when the bracket is below 1: the needle would need a logit scale of its own.
double needle_sigma(const Shape& shape, std::int64_t probes, double strength, double mass);

}  // namespace attnscope
