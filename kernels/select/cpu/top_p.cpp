// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>

#include "kernels/select/cpu/cut.hpp"
#include "kernels/select/cpu/softmax.hpp"

namespace attnscope::select::cpu {

void top_p(const Scores& scores, double p, const Lists& lists) {
  for_rows(scores, [&](std::int64_t r, std::span<const float> row) {
    if (p >= 1.0) return take_all(row, lists, r);
    const float max = row_max(row);
    if (max == -std::numeric_limits<float>::infinity()) return take_all({}, lists, r);  // no mass to take
    const auto masses = [max](std::span<const float> part, const Digit& digit, double* table) {
      add_masses(part, digit, max, table);
    };
    const auto cut = cut_row(row, p * total_mass(row, max), masses);
    double tie = 0;  // the mass of one score at the threshold, rounded as in the sums
    add_masses({&cut.value, 1}, Digit{}, max, &tie);
    take(row, cut.value, static_cast<std::int64_t>(std::ceil(cut.missing / tie)), lists, r);
  });
}

}  // namespace attnscope::select::cpu
