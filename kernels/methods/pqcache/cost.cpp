// SPDX-License-Identifier: Apache-2.0
#include "kernels/methods/pqcache/settings.hpp"

namespace attnscope::pqcache {

std::vector<StageCost> costs(const Shape& shape, const Settings& settings) {
  const select::CodePlan& plan = settings.plan;
  const auto heads = static_cast<double>(shape.batch * shape.kv_heads);
  const auto q_rows = static_cast<double>(shape.rows());
  const auto dim = static_cast<double>(shape.head_dim);
  const auto element = static_cast<double>(size_of(shape.dtype));
  const auto keys = heads * static_cast<double>(plan.keys);
  const auto candidates = heads * static_cast<double>(plan.candidates);
  const auto centroids = static_cast<double>(plan.centroids());  // of each part: of whole vectors, so to speak
  const auto codes = static_cast<double>(plan.codes());
  const auto rounds = static_cast<double>(plan.iterations);

  // Every round compares each key with the centroids of its parts, which is one product of d channels per centroid, and
  // adds it to one centroid per part; the codes take a last comparison. K is read for each of these; centroids, codes
  // and counts are written.
  const StageCost build{.name = "codes",
                        .kind = StageKind::build,
                        .flops = keys * dim * ((rounds + 1) * 2 * centroids + rounds),
                        .bytes = keys * dim * element * (2 * rounds + 1) + heads * centroids * dim * element +
                                 2 * keys + 4 * heads * codes};
  // d multiply-adds per centroid and query head. Per code and query head a sum over the parts, then the softmax
  // (maximum, exponential, product with the count, sum, quotient) and the sum over the group; per code a comparison
  // with the threshold. Q, centroids and counts in, a mark per code and a number per head out.
  const StageCost rank{
      .name = "rank_codes",
      .kind = StageKind::select,
      .flops = q_rows * (2 * dim * centroids + codes * (static_cast<double>(plan.parts) + 6)) + heads * codes,
      .bytes = (q_rows + heads * centroids) * dim * element + heads * (5 * codes + 4)};
  // A look at the mark of each candidate. Two bytes of code per candidate and the marks in, the chosen keys out.
  const StageCost list{.name = "list_keys",
                       .kind = StageKind::select,
                       .flops = candidates,
                       .bytes = 2 * candidates + heads * (codes + 4 + 4 * static_cast<double>(plan.choose))};
  return {build, rank, list};
}

}  // namespace attnscope::pqcache
