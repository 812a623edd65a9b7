// SPDX-License-Identifier: Apache-2.0
#include "kernels/select/bisection.hpp"

#include "kernels/select/engines.hpp"

namespace attnscope::select {

void top_p_by_bisection(const Queue& on, const Scores& scores, double p, BisectionStart start, const Lists& lists) {
  if (on.backend == Backend::cpu) return cpu::top_p_by_bisection(scores, p, start, lists);
#if ATTNSCOPE_CUDA
  cuda::top_p_by_bisection(scores, p, start, lists, on.stream);
#else
  refuse_cuda();
#endif
}

}  // namespace attnscope::select
