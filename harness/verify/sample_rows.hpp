// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "harness/base/shape.hpp"

namespace attnscope {

/// Query rows on which outputs are judged: all of them when there are no more than `count`, else `count` distinct ones,
/// one at random from each of `count` equal strata of the query axis, the (batch, head) pairs taking turns. The last
/// query, which sees every key, is always among them. A function of its arguments alone.
std::vector<Row> sample_rows(const Shape& shape, std::int64_t count, std::uint64_t seed);

}  // namespace attnscope
