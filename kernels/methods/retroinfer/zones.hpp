// SPDX-License-Identifier: Apache-2.0
// RetroInfer's three zones of keys, its definition, its execution and what it costs.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "harness/method/method.hpp"
#include "kernels/select/clusters.hpp"

namespace attnscope::retroinfer {

/// How a context falls apart. The steady zone, sink and window, is attended exactly and not clustered; of the clusters
/// of all other keys the first `retrieved` by rank are attended exactly, the next `estimated` are stood for by their
/// centroids, and the rest is ignored.
struct Zones {
  select::ClusterPlan plan;
  std::int64_t retrieved = 0;  // clusters, per KV head
  std::int64_t estimated = 0;

  std::int64_t ranked() const { return retrieved + estimated; }
  /// Everything is in the steady zone.
  bool keeps_all() const { return plan.keys == 0; }
};

Zones zones_of(const Shape& shape, const Params& params);

/// The clusters as an attention problem of their own: a centroid in place of a key, a mean value in place of a value.
AttentionInputs cluster_inputs(const AttentionInputs& inputs, const Zones& zones, const void* centroids,
                               const void* values);

std::unique_ptr<const Definition> define(const AttentionInputs& host, const Zones& zones,
                                         std::vector<SideTensor> built);

/// Stages `clusters` (build), `centroid_scores`, `group_sum`, `top_k`, `zones`, `attend`, and with an estimation zone
/// `estimate` (correct) and `merge`. Requires !zones.keeps_all() and q_len = 1.
std::unique_ptr<Execution> make_execution(Backend backend, const Task& task, const Zones& zones);

/// What the last run listed, over all batches and KV heads.
struct Listed {
  double keys = 0;       // attended exactly
  double estimated = 0;  // clusters
};

/// Cost of every stage, in order.
std::vector<StageCost> costs(const Shape& shape, const Zones& zones, const Listed& listed);

}  // namespace attnscope::retroinfer
