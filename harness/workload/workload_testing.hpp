// SPDX-License-Identifier: Apache-2.0
// Shared by the tests of the generators.
#pragma once

#include <cstring>
#include <string>
#include <string_view>

#include "harness/workload/workload.hpp"

namespace attnscope::testing_ {

inline Params params_of(std::string_view workload, const nlohmann::json& given = nlohmann::json::object()) {
  return Params::resolve(find_workload(workload).info().parameters, given, "test");
}

inline Problem make(std::string_view workload, const Shape& shape, Phase phase,
                    const nlohmann::json& given = nlohmann::json::object(), std::uint64_t seed = 1, int threads = 2) {
  return find_workload(workload).make(shape, phase, params_of(workload, given), seed, threads);
}

/// True when the last rows of every head of `whole`'s queries have the bytes of `part`'s.
inline bool queries_end_with(const Problem& whole, const Problem& part) {
  const Shape &a = whole.shape, &b = part.shape;
  const auto row = static_cast<std::size_t>(a.head_dim * size_of(a.dtype));
  for (std::int64_t head = 0; head < a.batch * a.q_heads; ++head) {
    const auto* end_a = whole.q.as<std::byte>() + static_cast<std::size_t>((head + 1) * a.q_len) * row;
    const auto* end_b = part.q.as<std::byte>() + static_cast<std::size_t>((head + 1) * b.q_len) * row;
    const std::size_t bytes = static_cast<std::size_t>(b.q_len) * row;
    if (std::memcmp(end_a - bytes, end_b - bytes, bytes) != 0) return false;
  }
  return true;
}

}  // namespace attnscope::testing_
