// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "harness/base/shape.hpp"

namespace attnscope {

/// Index of the first NaN or infinity among `elements` elements, or nothing. Runs at the speed of memory.
std::optional<std::int64_t> first_not_finite(const void* data, Dtype dtype, std::int64_t elements);

}  // namespace attnscope
