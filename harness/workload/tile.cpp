// SPDX-License-Identifier: Apache-2.0
#include "harness/workload/tile.hpp"

#include "harness/base/half.hpp"

namespace attnscope {
namespace {

template <Dtype dtype>
void store(const float* tile, std::int64_t first, std::int64_t last, std::int64_t head_dim, void* tensor,
           std::int64_t offset) {
  for (std::int64_t r = first; r < last; ++r, offset += head_dim)
    for (std::int64_t c = 0; c < head_dim; ++c) store_element(tensor, dtype, offset + c, tile[c * kTileRows + r]);
}

}  // namespace

void store_tile(const float* tile, std::int64_t first, std::int64_t last, std::int64_t head_dim, Dtype dtype,
                void* tensor, std::int64_t offset) {
  switch (dtype) {
    case Dtype::f32:
      return store<Dtype::f32>(tile, first, last, head_dim, tensor, offset);
    case Dtype::f16:
      return store<Dtype::f16>(tile, first, last, head_dim, tensor, offset);
    case Dtype::bf16:
      return store<Dtype::bf16>(tile, first, last, head_dim, tensor, offset);
  }
}

}  // namespace attnscope
