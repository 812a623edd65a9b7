// SPDX-License-Identifier: Apache-2.0
// Merging finished results over disjoint keys by their LSE.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "harness/base/error.hpp"
#include "kernels/attend/attend.hpp"
#include "kernels/attend/check.hpp"
#include "kernels/attend/cpu/finish.hpp"
#include "kernels/attend/cpu/tile.hpp"

namespace attnscope::attend {

void cpu_merge(const Shape& shape, std::span<const AttentionOutputs> parts, const AttentionOutputs& out) {
  check_parts(parts, "attend::cpu_merge");
  if (const auto reason = cpu_unsupported(shape)) throw InputError("attend::cpu_merge: " + *reason);
#pragma omp parallel for schedule(static)
  for (std::int64_t row = 0; row < shape.rows(); ++row) {
    float max = -std::numeric_limits<float>::infinity();
    for (const AttentionOutputs& part : parts) max = std::max(max, part.lse[row] * std::numbers::log2e_v<float>);
    float o[kMaxHeadDim] = {}, sum = 0;
    for (const AttentionOutputs& part : parts) {
      if (std::isinf(part.lse[row])) continue;
      const float weight = std::exp2(part.lse[row] * std::numbers::log2e_v<float> - max);
      const float* of_part = static_cast<const float*>(part.o) + row * shape.head_dim;
      for (std::int64_t c = 0; c < shape.head_dim; ++c) o[c] += weight * of_part[c];
      sum += weight;
    }
    finish_row(shape, row, o, max, sum, out);
  }
}

}  // namespace attnscope::attend
