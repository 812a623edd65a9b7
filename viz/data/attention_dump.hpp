// SPDX-License-Identifier: Apache-2.0
// What `attnscope run --dump-outputs` wrote of one point, as maps to look at.
#pragma once

#include <QString>
#include <cstdint>
#include <vector>

#include "harness/record/result.hpp"

namespace attnscope::viz {

/// One query head: true attention and what the method attended, both [queries, keys] row-major.
struct AttentionMap {
  std::int64_t queries = 0;
  std::int64_t keys = 0;
  std::vector<float> weight;           // softmax(q·k / √head_dim) of exact attention; 0 where the mask forbids
  std::vector<std::uint8_t> attended;  // 1 where the method looked
  std::vector<float> kept;             // per query: the weight on attended keys

  double meanKept() const;
};

/// Computes exact attention of query head `head` of the first sequence from q and k in the dump, in double, and reads
/// the method's mask. Throws InputError naming the tensor that is missing or has another shape than `shape`.
AttentionMap readAttentionMap(const QString& path, const Shape& shape, std::int64_t head);

/// A config of one point on the CPU that repeats what `point` measured, at `kvLen` keys and with `params`.
nlohmann::json attentionConfig(const record::Point& point, std::int64_t kvLen, const nlohmann::json& params);

}  // namespace attnscope::viz
