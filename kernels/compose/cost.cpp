// SPDX-License-Identifier: Apache-2.0
#include "kernels/compose/cost.hpp"

#include <utility>

namespace attnscope::compose {

StageCost attend_cost(const Shape& shape, double pairs, double kv_rows, double list_bytes) {
  const auto head_dim = static_cast<double>(shape.head_dim);
  const auto element = static_cast<double>(size_of(shape.dtype));
  const auto rows = static_cast<double>(shape.rows());
  // Per pair: d multiply-adds for q · k and d for p · v. The softmax is left out, as everywhere in the field: a few
  // operations per pair beside 4 d.
  const double flops = 4 * head_dim * pairs;
  // Q in and O out, one float of LSE per row, each row of K and V once, the lists once.
  const double bytes = 2 * rows * head_dim * element + 4 * rows + 2 * kv_rows * head_dim * element + list_bytes;
  return {.name = "attend", .kind = StageKind::attend, .flops = flops, .bytes = bytes};
}

StageCost logits_cost(const Shape& shape) {
  const auto element = static_cast<double>(size_of(shape.dtype));
  const auto pairs = static_cast<double>(shape.dense_pairs());
  // d multiply-adds per pair. Q and K in (the last row sees every key), a float per pair and a length per row out.
  return {.name = "logits",
          .kind = StageKind::select,
          .flops = 2 * static_cast<double>(shape.head_dim) * pairs,
          .bytes = static_cast<double>(shape.q_elements() + shape.kv_elements()) * element + 4 * pairs +
                   4 * static_cast<double>(shape.rows())};
}

StageCost choice_cost(std::string name, const Shape& shape, double scores, double flops_per_score, double entries) {
  // Scores and lengths in, indices and counts out, 4 bytes each.
  return {.name = std::move(name),
          .kind = StageKind::select,
          .flops = flops_per_score * scores,
          .bytes = 4 * (scores + entries + 2 * static_cast<double>(shape.rows()))};
}

}  // namespace attnscope::compose
