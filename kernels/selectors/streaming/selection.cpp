// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include "kernels/selectors/streaming/band.hpp"

namespace attnscope::streaming {

RowSelection select_row(const Shape& shape, std::int64_t sink, std::int64_t window, const Row& row) {
  RowSelection selection;
  for (std::int64_t j = 0; j < shape.visible(row.query); ++j)
    if (j < sink || std::abs(shape.position(row.query) - j) < window)
      selection.keys.push_back(static_cast<std::int32_t>(j));
  return selection;
}

}  // namespace attnscope::streaming
