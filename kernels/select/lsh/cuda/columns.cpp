// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "harness/base/half.hpp"
#include "kernels/select/lsh/cuda/kernels.hpp"

namespace attnscope::select::cuda {

std::vector<float> ordered_projections(const std::vector<float>& drawn, const Columns& columns, std::int64_t dim) {
  std::vector<float> ordered(columns.count() * dim);
  for (int table = 0; table < columns.tables; ++table)
    for (int bit = 0; bit < columns.bits; ++bit)
      std::copy_n(drawn.data() + (std::int64_t{table} * columns.bits + bit) * dim, dim,
                  ordered.data() + columns.of(table, bit) * dim);
  return ordered;
}

std::vector<std::uint16_t> lane_projections(const std::vector<float>& ordered, std::int64_t dim, Dtype dtype) {
  // [tile, chunk, lane, 8 channels]: lane (g, t) of a warp takes channels 32 · chunk + 8 t + [0, 8) of column g, as
  // b[0] and b[1] of two products whose a[0 .. 3] are the same channels of a vector.
  std::vector<std::uint16_t> lanes(ordered.size());
  const std::int64_t chunks = dim / 32;
  for (std::int64_t n = 0; n < static_cast<std::int64_t>(lanes.size()); ++n) {
    const std::int64_t channel = n % 8, lane = n / 8 % 32, chunk = n / 256 % chunks, tile = n / (256 * chunks);
    const float w = ordered[(tile * Columns::kTile + lane / 4) * dim + chunk * 32 + lane % 4 * 8 + channel];
    store_element(lanes.data(), dtype, n, w);
  }
  return lanes;
}

}  // namespace attnscope::select::cuda
