// SPDX-License-Identifier: Apache-2.0
#include "kernels/selectors/quest/pages.hpp"

namespace attnscope::quest {
namespace {

// Minimum and maximum of every ranked page, in K's dtype, over all batches and KV heads.
double bounds_elements(const Shape& shape, const Pages& pages) {
  return 2 * static_cast<double>(shape.batch * shape.kv_heads * pages.ranked() * shape.head_dim);
}

}  // namespace

StageCost page_bounds_cost(const Shape& shape, const Pages& pages) {
  const auto element = static_cast<double>(size_of(shape.dtype));
  // Each element of a ranked page is compared with the minimum and with the maximum so far, and read once.
  const double keys = static_cast<double>(shape.batch * shape.kv_heads * pages.ranked() * pages.page);
  const double k_elements = keys * static_cast<double>(shape.head_dim);
  return {.name = "page_bounds",
          .kind = StageKind::build,
          .flops = 2 * k_elements,
          .bytes = (k_elements + bounds_elements(shape, pages)) * element};
}

StageCost page_scores_cost(const Shape& shape, const Pages& pages) {
  const auto element = static_cast<double>(size_of(shape.dtype));
  const double scores = static_cast<double>(shape.rows() * pages.ranked());
  // Per channel, as the score is defined: two products, their maximum, an addition. (A kernel that picks the bound by
  // the sign of q needs one multiply-add, half of it.) Q and the bounds in, a float per score out.
  return {.name = "page_scores",
          .kind = StageKind::select,
          .flops = 4 * static_cast<double>(shape.head_dim) * scores,
          .bytes = (static_cast<double>(shape.q_elements()) + bounds_elements(shape, pages)) * element + 4 * scores};
}

}  // namespace attnscope::quest
