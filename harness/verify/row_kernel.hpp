// SPDX-License-Identifier: Apache-2.0
// The inner loop of exact.cpp: an online softmax in double over a run of keys, for several rows of one KV head.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/verify/exact.hpp"

namespace attnscope {

/// Unnormalised attention over part of a row's keys: weights are exp(s − scale.max_logit).
struct PartialRow {
  RowScale scale;         // p2v2 in unnormalised weights
  double sum = 0;         // Σ exp(s_j − max)
  std::vector<double> o;  // Σ exp(s_j − max) v_j, [padded_dim]
};

/// head_dim rounded up to whole vectors of 8 doubles.
inline std::int64_t padded_dim(std::int64_t head_dim) { return (head_dim + 7) / 8 * 8; }

/// The keys that one call visits, for `count` rows of the same batch and KV head.
struct KeyRun {
  const void* k = nullptr;  // the head's K and V, [kv_len, head_dim]
  const void* v = nullptr;
  Dtype dtype = Dtype::f32;
  std::int64_t head_dim = 0;
  const std::int32_t* list = nullptr;  // null: the keys are first, first + 1, ...; else list[first], ...
  std::int64_t first = 0;
  std::int64_t last = 0;                  // exclusive
  const double* const* q = nullptr;       // [count] scaled queries, zero-padded to padded_dim
  const std::int64_t* visible = nullptr;  // [count] row r takes entries below visible[r] only
  std::int64_t count = 0;
};

/// Adds the run's keys to partial[0 .. count).
void accumulate(const KeyRun& run, PartialRow* partial);

/// Adds `other`, a part over further keys of the same row, to `into`.
void merge(PartialRow& into, const PartialRow& other);

}  // namespace attnscope
