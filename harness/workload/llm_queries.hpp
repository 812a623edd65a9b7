// SPDX-License-Identifier: Apache-2.0
// Queries of one query head: its kind, its traits and what they make of the keys.
#pragma once

#include <cstdint>

#include "harness/workload/llm_drift.hpp"
#include "harness/workload/llm_kinds.hpp"
#include "harness/workload/llm_masses.hpp"
#include "harness/workload/llm_model.hpp"
#include "harness/workload/llm_profile.hpp"
#include "harness/workload/tile.hpp"

namespace attnscope::llm {

/// The traits of query head `head` (of KV head `kv`): those of its kind, scaled by the knobs and varied by head.
Traits head_traits(const Model& model, Kind kind, std::int64_t kv, std::int64_t head);

class QueryHead {
 public:
  /// `owner` must outlive this; `kv` and `head` number the KV head and the query head. Costs O(context).
  QueryHead(const KvHead& owner, std::int64_t kv, std::int64_t head, Kind kind, int threads);

  /// Fills a tile [head_dim][kTileRows] with the rotated queries at positions [first, first + kTileRows), up to the
  /// end of the context; `first` is a multiple of kTileRows.
  void tile(std::int64_t first, float* queries) const;

 private:
  void position(const float* noise, const PairTile& out) const;
  void content(std::int64_t first, float* topic, float* queries) const;
  void masses(std::int64_t first, const PairTile& out) const;

  const KvHead& owner_;
  double root_;  // √head_dim, which undoes the softmax scale
  Traits traits_;
  double kappa_;  // size of the content logits
  DistanceProfile profile_;
  MassSolver solver_;
  Drift drift_;
};

}  // namespace attnscope::llm
