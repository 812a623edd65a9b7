// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>

#include "kernels/select/cpu/cut.hpp"
#include "kernels/select/cpu/softmax.hpp"
#include "kernels/select/engines.hpp"

namespace attnscope::select::cpu {
namespace {

/// Of one row: the largest score, and the reciprocal of Σ exp(score − max), 0 where no score is finite.
struct Normalizer {
  float max;
  float factor;
};

}  // namespace

std::size_t group_sum_workspace(const Scores& scores) {
  return static_cast<std::size_t>(scores.rows) * sizeof(Normalizer);
}

void group_sum(const Scores& scores, std::int64_t group, const Scores& sums, std::int32_t* length, void* workspace) {
  auto* const normalizers = static_cast<Normalizer*>(workspace);
  for_rows(scores, [&](std::int64_t r, std::span<const float> row) {
    const float max = row_max(row);
    const bool none = max == -std::numeric_limits<float>::infinity();
    normalizers[r] = {max, none ? 0.0f : static_cast<float>(1.0 / total_mass(row, max))};
  });

  for (std::int64_t k = 0; k < sums.rows; ++k) length[k] = scores.length[k * group];
  for_rows({sums.data, sums.rows, sums.stride, length}, [&](std::int64_t k, std::span<const float> out) {
    for_parts(out, [&](std::int64_t part, std::span<const float> part_out) {
      float* const target = sums.data + k * sums.stride + part * kPartScores;
      std::fill_n(target, part_out.size(), 0.0f);
      for (std::int64_t r = k * group; r < (k + 1) * group; ++r)
        if (normalizers[r].factor > 0)
          add_weights({scores.data + r * scores.stride + part * kPartScores, part_out.size()}, normalizers[r].max,
                      normalizers[r].factor, target);
    });
  });
}

}  // namespace attnscope::select::cpu
