// SPDX-License-Identifier: Apache-2.0
#include "kernels/select/names.hpp"

#include "kernels/select/engines.hpp"

namespace attnscope::select {

void positions_to_keys(const Queue& on, const Shape& shape, const TokenList& candidates, const Lists& lists,
                       std::int64_t heads) {
  const CandidateLists keys(shape, &candidates);
  if (on.backend == Backend::cpu) return cpu::positions_to_keys(keys, lists, shape.batch * heads, heads);
#if ATTNSCOPE_CUDA
  cuda::positions_to_keys(keys, lists, shape.batch * heads, heads, on.stream);
#else
  refuse_cuda();
#endif
}

}  // namespace attnscope::select
