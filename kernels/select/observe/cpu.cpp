// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>

#include "kernels/select/observe/pool.hpp"
#include "kernels/select/observe/steps.hpp"

namespace attnscope::select::cpu {

void hide_future(const Scores& scores, const Future& future) {
  for (std::int64_t r = 0; r < scores.rows; ++r)
    std::fill(scores.data + r * scores.stride + future.first_limit + r % future.queries,
              scores.data + r * scores.stride + future.end, -std::numeric_limits<float>::infinity());
}

void add_scores(const Scores& some, std::int64_t count, const Scores& all) {
#pragma omp parallel for
  for (std::int64_t r = 0; r < all.rows; ++r)
    for (std::int64_t j = 0; j < count; ++j) all.data[r * all.stride + j] += some.data[r * some.stride + j];
}

void pool_prefix(const Scores& scores, const Pool& pool, std::int64_t prefix, std::int64_t end, const Scores& pooled,
                 std::int32_t* length) {
#pragma omp parallel for
  for (std::int64_t r = 0; r < scores.rows; ++r) {
    const float* row = scores.data + r * scores.stride;
    float* out = pooled.data + r * pooled.stride;
    for (std::int64_t j = 0; j < prefix; ++j) out[j] = pooled_at(row, prefix, pool, j);
    std::fill(out + prefix, out + end, std::numeric_limits<float>::infinity());
    length[r] = static_cast<std::int32_t>(end);
  }
}

}  // namespace attnscope::select::cpu
