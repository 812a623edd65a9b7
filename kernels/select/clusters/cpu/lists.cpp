// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>

#include "kernels/select/clusters.hpp"

namespace attnscope::select {
namespace {

std::span<const std::int32_t> list(const Lists& lists, std::int64_t row) {
  return {lists.indices + row * lists.capacity, static_cast<std::size_t>(lists.count[row])};
}

class CpuClusterLists final : public ClusterLists {
 public:
  void mask_empty(const ClusterPlan& plan, const std::int32_t* begin, const Scores& scores) const override {
#pragma omp parallel for schedule(static)
    for (std::int64_t row = 0; row < scores.rows; ++row) {
      const std::int32_t* ends = begin + row * (plan.clusters + 1);
      for (std::int64_t c = 0; c < plan.clusters; ++c)
        if (ends[c] == ends[c + 1]) scores.data[row * scores.stride + c] = -std::numeric_limits<float>::infinity();
    }
  }

  std::size_t members_workspace(std::int64_t, std::int64_t) const override { return 0; }

  void members(const ClusterPlan& plan, std::int64_t rows, std::int64_t kv_len, const std::int32_t* begin,
               const std::int32_t* members, const Lists& listed, const Lists& keys, void*) const override {
#pragma omp parallel for schedule(dynamic)
    for (std::int64_t row = 0; row < rows; ++row) {
      const std::int32_t* ends = begin + row * (plan.clusters + 1);
      const auto first = static_cast<std::int32_t>(plan.first);
      std::int32_t* const out = keys.indices + row * keys.capacity;
      std::iota(out, out + first, 0);
      std::int32_t* end = out + first;
      for (const std::int32_t c : list(listed, row))
        end = std::transform(members + row * plan.keys + ends[c], members + row * plan.keys + ends[c + 1], end,
                             [first](std::int32_t key) { return first + key; });
      std::sort(out + first, end);
      std::int32_t* const window = end;
      end += kv_len - plan.first - plan.keys;
      std::iota(window, end, static_cast<std::int32_t>(plan.first + plan.keys));
      keys.count[row] = static_cast<std::int32_t>(end - out);
    }
  }

  void remaining(const ClusterPlan& plan, std::int64_t rows, const std::int32_t* begin, const Lists& listed,
                 const Lists& wider, const Lists& out, float* log_size) const override {
#pragma omp parallel for schedule(dynamic)
    for (std::int64_t row = 0; row < rows; ++row) {
      const std::int32_t* ends = begin + row * (plan.clusters + 1);
      const auto taken = list(listed, row);
      std::int64_t place = row * out.capacity;
      for (const std::int32_t c : list(wider, row)) {
        const std::int32_t size = ends[c + 1] - ends[c];
        if (size == 0 || std::ranges::binary_search(taken, c)) continue;
        log_size[place] = std::log(static_cast<float>(size));
        out.indices[place++] = c;
      }
      out.count[row] = static_cast<std::int32_t>(place - row * out.capacity);
    }
  }
};

}  // namespace

std::unique_ptr<const ClusterLists> make_cpu_cluster_lists() { return std::make_unique<CpuClusterLists>(); }

}  // namespace attnscope::select
