// SPDX-License-Identifier: Apache-2.0
#include "harness/base/error.hpp"
#include "kernels/select/lsh/backends.hpp"

namespace attnscope::select {

std::unique_ptr<LshIndex> make_lsh_index_cuda(const Queue&, const AttentionInputs&, const Lsh&) {
  throw MachineError("this build has no CUDA");
}

}  // namespace attnscope::select
