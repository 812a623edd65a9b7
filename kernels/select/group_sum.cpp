// SPDX-License-Identifier: Apache-2.0
#include "kernels/select/group_sum.hpp"

#include "kernels/select/engines.hpp"

namespace attnscope::select {

std::size_t group_sum_workspace(const Queue& on, const Scores& scores) {
  if (on.backend == Backend::cpu) return cpu::group_sum_workspace(scores);
#if ATTNSCOPE_CUDA
  return cuda::group_sum_workspace(scores);
#else
  refuse_cuda();
#endif
}

void group_sum(const Queue& on, const Scores& scores, std::int64_t group, const Scores& sums, std::int32_t* length,
               void* workspace) {
  if (on.backend == Backend::cpu) return cpu::group_sum(scores, group, sums, length, workspace);
#if ATTNSCOPE_CUDA
  cuda::group_sum(scores, group, sums, length, workspace, on.stream);
#else
  refuse_cuda();
#endif
}

}  // namespace attnscope::select
