// SPDX-License-Identifier: Apache-2.0
#include "kernels/select/lsh/projections.hpp"

#include "harness/base/half.hpp"
#include "harness/workload/noise.hpp"

namespace attnscope::select {

std::vector<float> draw_projections(const Lsh& lsh, std::int64_t head_dim) {
  const NoiseStream stream = NoiseStream{lsh.seed}.child({0x5151});  // no other stream of a run's seed
  std::vector<float> projections(lsh.projections() * head_dim), row(round_up_to_quad(head_dim));
  for (std::int64_t n = 0; n < lsh.projections(); ++n) {
    const std::int64_t number = n / lsh.bits * Lsh::kMaxBits + n % lsh.bits;  // whatever the bits and tables are
    normal_row(stream, static_cast<std::uint64_t>(number), head_dim, row.data());
    for (std::int64_t c = 0; c < head_dim; ++c)
      projections[n * head_dim + c] = f16_to_float(float_to_f16(bf16_to_float(float_to_bf16(row[c]))));
  }
  return projections;
}

}  // namespace attnscope::select
