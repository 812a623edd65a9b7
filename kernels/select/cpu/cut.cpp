// SPDX-License-Identifier: Apache-2.0
#include "kernels/select/cpu/cut.hpp"

#include <numeric>

namespace attnscope::select {

void take(std::span<const float> row, float value, std::int64_t ties, const Lists& lists, std::int64_t r) {
  // Each part writes where the parts before it end, and gets the ties that they leave.
  struct Share {
    std::int64_t offset = 0;
    std::int64_t ties = 0;
  };
  std::vector<Comparison> counts(static_cast<std::size_t>(parts_of(row)));
  for_parts(row, [&](std::int64_t part, std::span<const float> scores) {
    counts[static_cast<std::size_t>(part)] = compare(scores, value);
  });
  std::vector<Share> shares;
  std::int64_t offset = 0;
  for (const Comparison& count : counts) {
    shares.push_back({offset, std::min(ties, count.equal)});
    offset += count.above + shares.back().ties;
    ties -= shares.back().ties;
  }
  std::int32_t* indices = lists.indices + r * lists.capacity;
  for_parts(row, [&](std::int64_t part, std::span<const float> scores) {
    const Share& share = shares[static_cast<std::size_t>(part)];
    collect(scores, static_cast<std::int32_t>(part * kPartScores), value, share.ties, indices + share.offset);
  });
  lists.count[r] = static_cast<std::int32_t>(offset);
}

void take_all(std::span<const float> row, const Lists& lists, std::int64_t r) {
  std::iota(lists.indices + r * lists.capacity, lists.indices + r * lists.capacity + row.size(), 0);
  lists.count[r] = static_cast<std::int32_t>(row.size());
}

}  // namespace attnscope::select
