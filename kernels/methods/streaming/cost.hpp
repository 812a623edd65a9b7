// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "harness/base/shape.hpp"

namespace attnscope::streaming {

/// Keys of one (batch, KV head) that at least one query row attends: what has to be read.
std::int64_t keys_read(const Shape& shape, std::int64_t sink, std::int64_t window);

}  // namespace attnscope::streaming
