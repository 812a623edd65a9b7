// SPDX-License-Identifier: Apache-2.0
// Top-p as Twilight's released kernel computes it: by bisection on the weight, with an absolute tolerance. It is here
// to be compared with top_p (select.hpp), which is exact: once the wanted threshold is no larger than the tolerance, as
// it is from about 10^5 candidates on, the bisection ends at 0 and prunes nothing.
#pragma once

#include <cstdint>

#include "kernels/core/queue.hpp"
#include "kernels/select/select.hpp"

namespace attnscope::select {

/// Where the bisection starts from above. The released kernel takes the weight of position 0, counting on an attention
/// sink to be the largest; where it is not, the result keeps more than it need.
enum class BisectionStart { first_weight, largest_weight };

/// With w the softmax of the row in fp32, low = 0 and high as `start` says, repeats
///   mid = (low + high) / 2,  least = min{w > low},  most = max{w ≤ high}   (high and low where there is none)
///   if Σ{w > mid} ≥ p: low = mid, else high = min(mid, most)
/// while most − least > 1e-5 (absolute), and lists the positions with w > low. An empty row gives an empty list.
/// Every repetition at least halves high − low ≤ 1, and most − least ≤ high − low: 18 of them always do, without a cap.
/// On the GPU one block works on a row and reads it once per repetition, as the released kernel does.
/// The capacity of `lists` must be the stride of `scores`.
void top_p_by_bisection(const Queue& on, const Scores& scores, double p, BisectionStart start, const Lists& lists);

}  // namespace attnscope::select
