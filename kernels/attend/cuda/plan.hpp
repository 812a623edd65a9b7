// SPDX-License-Identifier: Apache-2.0
// How the keys of row tiles are shared out among CTAs or warps. Host logic: depends on the shape and the number of SMs
// alone, never on lengths that only the device knows, so that workspace and launch always agree.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "kernels/attend/cuda/launch.hpp"

namespace attnscope::device {

/// Partial results of rows: unnormalised O, its maximum and its sum.
struct Partials {
  float* __restrict__ o = nullptr;       // [tiles, splits, tile_rows, head_dim]
  float2* __restrict__ state = nullptr;  // [tiles, splits, tile_rows]: maximum, sum
  int splits = 1;
  int tile_rows = 1;

  __device__ std::int64_t row(std::int64_t tile, int split, int local) const {
    return (tile * splits + split) * tile_rows + local;
  }
};

}  // namespace attnscope::device

namespace attnscope::attend {

/// Streaming multiprocessors of the current device.
int sm_count();

/// Upper bound of the keys that one row tile visits.
std::int64_t most_keys(const Shape& shape, const KeySource& keys);

/// The number of splits with the least modelled time for `tiles` row tiles of at most `keys` keys each, where a CTA
/// takes keys in steps of `step_keys` and every SM holds two CTAs.
SplitPlan plan_splits(std::int64_t tiles, std::int64_t tile_rows, std::int64_t keys, std::int64_t step_keys);

/// The partial results of `plan` in `workspace`, which holds plan.workspace_bytes(head_dim) bytes.
device::Partials partials_in(void* workspace, const SplitPlan& plan, std::int64_t head_dim);

}  // namespace attnscope::attend
