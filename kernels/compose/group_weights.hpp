// SPDX-License-Identifier: Apache-2.0
// Attention weights that the query heads of a group give together, in double with bounds on a float computation: what
// definitions rank by where a group shares its choice.
#pragma once

#include <span>

#include "kernels/compose/exact.hpp"

namespace attnscope::compose {

/// sums[i] += softmax(logits)[i], errors included.
///
/// In float e^(s − max) errs by s itself, by the difference, its product with log₂e and the exponential: together 2^-22
/// relative to 1 + |s − max|. The sum errs like its terms and by 4 √n 2^-24 (n independent roundings, as in the
/// harness's tolerances), the quotient and the addition to `sums` by three roundings; and what lies below the normal
/// numbers may come out as zero.
void add_softmax(std::span<const Bounded> logits, std::span<Bounded> sums);

}  // namespace attnscope::compose
