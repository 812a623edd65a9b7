// SPDX-License-Identifier: Apache-2.0
// Which channels Double Sparsity scores by. Its offline calibration ranks channels by their mean magnitude over blocks
// of 512 tokens; here the block is the end of the first sequence.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "harness/base/attention.hpp"

namespace attnscope::double_sparsity {

/// What a channel is ranked by: |k_c|, |q_c|, or |q_c k_c| of the same token.
enum class Target { k, q, qk };
Target parse_target(const std::string& text);

/// Tokens of the calibration block, as many of them as the sequence and, where queries count, its history have.
inline constexpr std::int64_t kCalibrationTokens = 512;

/// Rows of the first sequence as floats: of past query `i` of a query head (0 is the oldest), of key `j` of a KV head.
struct CalibrationRows {
  std::function<std::vector<float>(std::int64_t head, std::int64_t i)> past_query;
  std::function<std::vector<float>(std::int64_t kv_head, std::int64_t j)> key;
};

/// The `count` channels of largest mean magnitude, ascending, for each of `heads` heads (kv_heads: summed over the
/// query heads of the group; q_heads: each by itself). Ties go to the lower channel. In double, in a fixed order: the
/// same channels from any backend's copy of the same bytes.
std::vector<std::vector<std::int32_t>> calibrated_channels(const Shape& shape, const CalibrationRows& rows,
                                                           Target target, std::int64_t heads, std::int64_t count);

}  // namespace attnscope::double_sparsity
