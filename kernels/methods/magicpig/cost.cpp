// SPDX-License-Identifier: Apache-2.0
#include "kernels/methods/magicpig/cost.hpp"

#include "kernels/select/lsh/planes.hpp"

namespace attnscope::magicpig {

std::vector<StageCost> costs(const Shape& shape, const select::Lsh& lsh, const Lookups& lookups) {
  const auto dim = static_cast<double>(shape.head_dim);
  const auto element = static_cast<double>(size_of(shape.dtype));
  const auto heads = static_cast<double>(shape.batch * shape.kv_heads);
  const auto rows = static_cast<double>(shape.rows());
  const auto tables = static_cast<double>(lsh.tables);
  const auto projections = static_cast<double>(lsh.projections());
  const double keys = heads * static_cast<double>(lsh.keys());
  const double buckets = heads * tables * static_cast<double>(lsh.buckets() + 1);
  // Projections at the width of K, and a code of 16 bits per table and vector.
  const double projection_bytes = projections * dim * element;

  std::vector<StageCost> costs;
  // An addition per element of K, read once, and the centre's products with the projections; 4 bytes each out.
  if (lsh.centred)
    costs.push_back({.name = "centre",
                     .kind = StageKind::build,
                     .flops = dim * keys + 2 * dim * projections * heads,
                     .bytes = dim * element * keys + projection_bytes + 4 * heads * (dim + projections)});
  costs.push_back({.name = "hash_keys",
                   .kind = StageKind::build,
                   .flops = 2 * dim * projections * keys,
                   .bytes = dim * element * keys + projection_bytes + 2 * tables * keys});
  // Each code is counted and placed; a code in, a key out, and the bounds of the buckets.
  costs.push_back({.name = "sort",
                   .kind = StageKind::build,
                   .flops = 2 * tables * keys,
                   .bytes = (2 + 4) * tables * keys + 4 * buckets});
  costs.push_back({.name = "hash",
                   .kind = StageKind::select,
                   .flops = 2 * dim * projections * rows,
                   .bytes = dim * element * rows + projection_bytes + 2 * tables * rows});
  // An entry is one integer operation and 4 bytes. A code and two bounds lead to a bucket; two bits per key remain.
  const double plane_bytes = 4 * rows * static_cast<double>(select::Planes::words_of(shape.kv_len));
  costs.push_back({.name = "lookup",
                   .kind = StageKind::select,
                   .flops = lookups.entries,
                   .bytes = 4 * lookups.entries + (2 + 2 * 4) * tables * rows + 2 * plane_bytes});
  // One of the two bits of each key in, 32 at a time; indices and a count out.
  costs.push_back({.name = "list",
                   .kind = StageKind::select,
                   .flops = plane_bytes / 4,
                   .bytes = plane_bytes + 4 * lookups.listed + 4 * rows});
  // Per sampled key a difference and two multiply-adds per channel: q · (k − c) and |k − c|². The handful of functions
  // of one cosine is left out, like the softmax of attention. An index in and a weight out for every listed key.
  costs.push_back(
      {.name = "weigh",
       .kind = StageKind::correct,
       .flops = 5 * dim * lookups.sampled,
       .bytes = dim * element * (lookups.sampled_keys + rows) + 4 * dim * heads + (4 + 4) * lookups.listed + 4 * rows});
  return costs;
}

}  // namespace attnscope::magicpig
