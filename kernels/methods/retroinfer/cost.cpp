// SPDX-License-Identifier: Apache-2.0
#include "kernels/compose/cost.hpp"

#include "kernels/methods/retroinfer/zones.hpp"

namespace attnscope::retroinfer {
namespace {

// What the formulas count, as double.
struct Counts {
  double heads, q_rows, dim, element, keys, clusters;

  Counts(const Shape& shape, const Zones& zones)
      : heads(static_cast<double>(shape.batch * shape.kv_heads)),
        q_rows(static_cast<double>(shape.rows())),
        dim(static_cast<double>(shape.head_dim)),
        element(static_cast<double>(size_of(shape.dtype))),
        keys(heads * static_cast<double>(zones.plan.keys)),
        clusters(heads * static_cast<double>(zones.plan.clusters)) {}
  /// Bytes of `rows` vectors of the cache's type, and of float vectors.
  double vectors(double rows) const { return rows * dim * element; }
  double float_vectors(double rows) const { return rows * dim * 4; }
};

StageCost clusters_cost(const Zones& zones, const Counts& n) {
  // A round gives every key a product with every cluster that it may join, and adds it to one of them. Each round reads
  // K for the products and again for the sums; the mean before them reads it once more, and the values at the end V.
  double flops = 2 * n.keys * n.dim;  // means of keys and values
  for (std::int64_t round = 0; round < zones.plan.iterations; ++round)
    flops += n.keys * n.dim * (2 * static_cast<double>(zones.plan.segments_of(round).clusters_each()) + 1);
  const double reads = n.vectors(n.keys) * static_cast<double>(2 * zones.plan.iterations + 2);
  // Directions, centroids and mean values; a bias and a begin per cluster; an assignment and a place per key.
  const double writes = 3 * n.vectors(n.clusters) + n.float_vectors(n.heads) + 8 * n.clusters + 8 * n.keys;
  return {.name = "clusters", .kind = StageKind::build, .flops = flops, .bytes = reads + writes};
}

}  // namespace

std::vector<StageCost> costs(const Shape& shape, const Zones& zones, const Listed& listed) {
  const Counts n(shape, zones);
  const double group = static_cast<double>(shape.group());
  const double scores = n.clusters * group;
  const double ranked = n.heads * static_cast<double>(zones.ranked());
  const double retrieved = n.heads * static_cast<double>(zones.retrieved);
  const double choices = zones.estimated > 0 ? 2 : 1;

  std::vector<StageCost> all{clusters_cost(zones, n)};
  // d multiply-adds per score. Q and the centroids in, a float per score and a length per row out.
  all.push_back({.name = "centroid_scores",
                 .kind = StageKind::select,
                 .flops = 2 * n.dim * scores,
                 .bytes = n.vectors(n.q_rows + n.clusters) + 4 * scores + 4 * n.q_rows});
  // Per score the softmax (maximum, exponential, sum, quotient) and the sum over the group; per sum a look whether the
  // cluster has members. Scores and sizes in, a float per sum out.
  all.push_back({.name = "group_sum",
                 .kind = StageKind::select,
                 .flops = 5 * scores + n.clusters,
                 .bytes = 4 * (scores + 2 * n.clusters)});
  // A comparison per sum for the retrieval zone, and one for that and the estimation zone together.
  all.push_back({.name = "top_k",
                 .kind = StageKind::select,
                 .flops = choices * n.clusters,
                 .bytes = 4 * (choices * n.clusters + retrieved + (zones.estimated > 0 ? ranked : 0))});
  // Lists in; the retrieved clusters' members in and the attended keys out; the estimated clusters and ln(size) out.
  all.push_back({.name = "zones",
                 .kind = StageKind::select,
                 .flops = listed.keys + ranked,
                 .bytes = 4 * (retrieved + ranked + 2 * listed.keys + 2 * listed.estimated)});

  const double list_bytes = 4 * listed.keys + 12 * n.heads;
  StageCost attend = compose::attend_cost(shape, listed.keys * group, listed.keys, list_bytes);
  if (zones.estimated == 0) {
    all.push_back(attend);
    return all;
  }
  const double widened = n.float_vectors(n.q_rows) - n.vectors(n.q_rows);  // partial results are float
  attend.bytes += widened;
  all.push_back(attend);
  // Attention over clusters in place of keys, with a weight beside each index.
  StageCost estimate =
      compose::attend_cost(shape, listed.estimated * group, listed.estimated, 8 * listed.estimated + 12 * n.heads);
  estimate.name = "estimate";
  estimate.kind = StageKind::correct;
  estimate.bytes += widened;
  all.push_back(estimate);
  // Two scaled vectors added up per row, two partial results with their LSEs in, one out.
  all.push_back({.name = "merge",
                 .kind = StageKind::merge,
                 .flops = 3 * n.dim * n.q_rows,
                 .bytes = 2 * n.float_vectors(n.q_rows) + n.vectors(n.q_rows) + 12 * n.q_rows});
  return all;
}

}  // namespace attnscope::retroinfer
