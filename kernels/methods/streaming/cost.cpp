// SPDX-License-Identifier: Apache-2.0
#include "kernels/methods/streaming/cost.hpp"

#include <algorithm>

namespace attnscope::streaming {

std::int64_t keys_read(const Shape& shape, std::int64_t sink, std::int64_t window) {
  // The last row stands at the last key and sees all sinks. The windows of consecutive rows overlap, so together they
  // reach from the first row's oldest key to the end; sinks before that come on top.
  const std::int64_t oldest = window == 0 ? shape.kv_len : std::max(shape.position(0) - window + 1, std::int64_t{0});
  return shape.kv_len - oldest + std::min(sink, oldest);
}

}  // namespace attnscope::streaming
