// SPDX-License-Identifier: Apache-2.0
// The correction of sampled keys in double, for the definition: no code shared with the backends.
#pragma once

#include "kernels/compose/exact.hpp"
#include "kernels/methods/magicpig/settings.hpp"

namespace attnscope::magicpig {

/// Probability that a key whose signs each agree with the query's with probability `agree` is sampled:
///   u = 1 − (1 − m)^L − L m (1 − m)^(L−1),  m = agree^K.
double sampling_probability(double agree, const select::Lsh& lsh);

/// −ln(u + floor) for a key at `cosine`, which a backend knows within ± cosine.error, and how far off a backend in
/// single precision may be.
///
/// u rises with the cosine, so the ends of the cosine's interval bound what its error does. Of agree = 1 − arccos/π
/// an arccos within 2 ulp (of up to π), the quotient and the difference leave below 2⁻²¹ ; the K − 1 products of m add
/// as much as a relative 2⁻²⁴ of agree. Then with a = −(L−1) ln(1−m), b = ln(1 + (L−1) m) ≤ a and u = −expm1(b − a):
/// log1p (1 ulp) and its products leave 3·2⁻²⁴ a and 3·2⁻²⁴ b, the difference 2⁻²⁴ a, hence 7·2⁻²⁴ a e^(b−a) in u,
/// whose expm1 adds 2 ulp; the last logarithm and the store 2 ulp of its value.
compose::Bounded log_weight(const compose::Bounded& cosine, const select::Lsh& lsh, double floor);

}  // namespace attnscope::magicpig
