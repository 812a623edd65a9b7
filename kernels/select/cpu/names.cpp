// SPDX-License-Identifier: Apache-2.0
#include "kernels/select/engines.hpp"

namespace attnscope::select::cpu {

void positions_to_keys(const CandidateLists& candidates, const Lists& lists, std::int64_t rows, std::int64_t heads) {
  const std::int64_t share = heads / candidates.heads();  // rows of one candidate list
#pragma omp parallel for schedule(dynamic)
  for (std::int64_t r = 0; r < rows; ++r) {
    const CandidateKeys keys = candidates.of(r / heads, r % heads / share);
    std::int32_t* const indices = lists.indices + r * lists.capacity;
    for (std::int32_t i = 0; i < lists.count[r]; ++i) indices[i] = static_cast<std::int32_t>(keys.key(indices[i]));
  }
}

}  // namespace attnscope::select::cpu
