// SPDX-License-Identifier: Apache-2.0
// The band of sink and window keys, as this room defines it.
#pragma once

#include <cstdint>

#include "harness/method/method.hpp"

namespace attnscope::streaming {

/// Keys j < sink and keys with |p − j| < window of a row at position p, as far as it can see.
RowSelection select_row(const Shape& shape, std::int64_t sink, std::int64_t window, const Row& row);

/// Keys of one (batch, KV head) that at least one query row attends: what has to be read.
std::int64_t keys_read(const Shape& shape, std::int64_t sink, std::int64_t window);

}  // namespace attnscope::streaming
