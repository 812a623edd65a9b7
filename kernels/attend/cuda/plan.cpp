// SPDX-License-Identifier: Apache-2.0
#include "kernels/attend/cuda/plan.hpp"

#include <algorithm>
#include <limits>

#include "harness/device/cuda_check.hpp"

namespace attnscope::attend {

std::size_t SplitPlan::workspace_bytes(std::int64_t head_dim) const {
  if (splits == 1) return 0;
  const auto rows = static_cast<std::size_t>(tiles * splits * tile_rows);
  return rows * (static_cast<std::size_t>(head_dim) * sizeof(float) + sizeof(float2));
}

int sm_count() {
  int device = 0;
  int sms = 0;
  cuda_check(cudaGetDevice(&device), "attend::cuda: current device");
  cuda_check(cudaDeviceGetAttribute(&sms, cudaDevAttrMultiProcessorCount, device), "attend::cuda: number of SMs");
  return sms;
}

std::int64_t most_keys(const Shape& shape, const KeySource& keys) {
  const auto* window = std::get_if<device::Window>(&keys);
  if (!window) return shape.kv_len;
  // The rows of a tile lie within q_len positions; a window reaches both ways when nothing is causal.
  const std::int64_t reach = std::int64_t{window->sink} + 2 * std::int64_t{window->size} + shape.q_len;
  return std::min(shape.kv_len, reach);
}

SplitPlan plan_splits(std::int64_t tiles, std::int64_t tile_rows, std::int64_t keys, std::int64_t step_keys) {
  // In units of the time one CTA takes for a key when all are busy (29 ns on an H200 at d = 128): starting and
  // finishing a CTA costs about 64, merging one more split about 4.
  constexpr std::int64_t kCtaKeys = 64;
  constexpr std::int64_t kMergeKeys = 4;
  constexpr std::int64_t kMostSplits = 256;
  const std::int64_t slots = 2 * sm_count();

  SplitPlan plan{.tiles = tiles, .tile_rows = static_cast<int>(tile_rows)};
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  const std::int64_t most = std::clamp<std::int64_t>((keys + step_keys - 1) / step_keys, 1, kMostSplits);
  for (std::int64_t splits = 1; splits <= most && (splits == 1 || tiles * splits <= 4 * slots); ++splits) {
    const std::int64_t share = ((keys + splits - 1) / splits + step_keys - 1) / step_keys * step_keys;
    const std::int64_t waves = (tiles * splits + slots - 1) / slots;
    const std::int64_t cost = waves * (share + kCtaKeys) + (splits > 1 ? kCtaKeys + kMergeKeys * splits : 0);
    if (cost >= least) continue;
    least = cost;
    plan.splits = static_cast<int>(splits);
  }
  return plan;
}

device::Partials partials_in(void* workspace, const SplitPlan& plan, std::int64_t head_dim) {
  device::Partials partials;
  partials.o = static_cast<float*>(workspace);
  partials.state = reinterpret_cast<float2*>(partials.o + plan.tiles * plan.splits * plan.tile_rows * head_dim);
  partials.splits = plan.splits;
  partials.tile_rows = plan.tile_rows;
  return partials;
}

}  // namespace attnscope::attend
