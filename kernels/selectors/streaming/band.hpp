// SPDX-License-Identifier: Apache-2.0
// The band of sink and window keys.
#pragma once

#include <cstdint>

#include "harness/method/method.hpp"

namespace attnscope::streaming {

/// Keys j < sink and keys with |p − j| < window of a row at position p, as far as it can see.
RowSelection select_row(const Shape& shape, std::int64_t sink, std::int64_t window, const Row& row);

}  // namespace attnscope::streaming
