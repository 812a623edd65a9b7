// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>
#include <vector>

#include "kernels/select/cpu/cut.hpp"
#include "kernels/select/cpu/softmax.hpp"
#include "kernels/select/engines.hpp"

namespace attnscope::select::cpu {
namespace {

constexpr float kTolerance = 1e-5f;

/// What one repetition asks of the weights.
struct Sweep {
  double above = 0;  // Σ{w > mid}
  float least;       // min{w > low}
  float most;        // max{w ≤ high}
};

Sweep sweep(std::span<const float> weights, float low, float mid, float high) {
  std::vector<Sweep> sweeps(static_cast<std::size_t>(parts_of(weights)));
  for_parts(weights, [&](std::int64_t part, std::span<const float> part_weights) {
    Sweep own{.least = high, .most = low};
    for (const float w : part_weights) {
      own.above += w > mid ? static_cast<double>(w) : 0.0;
      own.least = w > low ? std::min(own.least, w) : own.least;
      own.most = w <= high ? std::max(own.most, w) : own.most;
    }
    sweeps[static_cast<std::size_t>(part)] = own;
  });
  Sweep all{.least = high, .most = low};
  for (const Sweep& own : sweeps)
    all = {all.above + own.above, std::min(all.least, own.least), std::max(all.most, own.most)};
  return all;
}

}  // namespace

void top_p_by_bisection(const Scores& scores, double p, BisectionStart start, const Lists& lists) {
  for_rows(scores, [&](std::int64_t r, std::span<const float> row) {
    const float max = row_max(row);
    if (max == -std::numeric_limits<float>::infinity()) return take_all({}, lists, r);
    std::vector<float> weights(row.size());
    const auto factor = static_cast<float>(1.0 / total_mass(row, max));
    for_parts(row, [&](std::int64_t part, std::span<const float> part_scores) {
      add_weights(part_scores, max, factor, weights.data() + part * kPartScores);
    });

    float low = 0, high = start == BisectionStart::first_weight ? weights.front() : row_max(weights);
    for (bool narrow = false; !narrow;) {
      const float mid = (low + high) / 2;
      const Sweep found = sweep(weights, low, mid, high);
      if (found.above >= p)
        low = mid;
      else
        high = std::min(mid, found.most);
      narrow = found.most - found.least <= kTolerance;
    }
    take(weights, low, 0, lists, r);
  });
}

}  // namespace attnscope::select::cpu
