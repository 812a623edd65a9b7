// SPDX-License-Identifier: Apache-2.0
#include "kernels/methods/retroinfer/zones.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace attnscope::retroinfer {
namespace {

std::int64_t rounded(double x) { return static_cast<std::int64_t>(std::llround(x)); }

std::int64_t rounded_ratio(std::int64_t x, std::int64_t y) {
  return rounded(static_cast<double>(x) / static_cast<double>(y));
}

}  // namespace

Zones zones_of(const Shape& shape, const Params& params) {
  Zones zones;
  select::ClusterPlan& plan = zones.plan;
  plan.first = std::min(params.integer("sink"), shape.kv_len);
  plan.keys = std::max(shape.kv_len - plan.first - params.integer("window"), std::int64_t{0});
  plan.segments = std::max(rounded_ratio(plan.keys, params.integer("segment")), std::int64_t{1});
  // As many clusters as tokens_per_cluster asks for, in a multiple that segments share evenly and kernels like.
  const std::int64_t multiple = std::lcm(std::int64_t{8}, plan.segments);
  const std::int64_t wanted = rounded_ratio(plan.keys, params.integer("tokens_per_cluster"));
  plan.clusters = std::max(rounded_ratio(wanted, multiple), std::int64_t{1}) * multiple;
  plan.iterations = params.integer("iterations");
  plan.global = params.choice("last_round") == "global";

  const auto share = [&](double part) { return rounded(part * static_cast<double>(plan.clusters)); };
  zones.retrieved = std::clamp(share(params.real("retrieve")), std::int64_t{1}, plan.clusters);
  zones.estimated = std::min(share(params.real("estimate")), plan.clusters - zones.retrieved);
  return zones;
}

AttentionInputs cluster_inputs(const AttentionInputs& inputs, const Zones& zones, const void* centroids,
                               const void* values) {
  AttentionInputs clusters = inputs;
  clusters.shape.kv_len = zones.plan.clusters;
  clusters.shape.causal = false;
  clusters.shape.cache_page = 0;
  clusters.shape.history = 0;
  clusters.k = centroids;
  clusters.v = values;
  clusters.page_table = nullptr;
  clusters.past_q = nullptr;
  return clusters;
}

}  // namespace attnscope::retroinfer
