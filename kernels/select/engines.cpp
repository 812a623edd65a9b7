// SPDX-License-Identifier: Apache-2.0
#include "kernels/select/engines.hpp"

#include "harness/base/error.hpp"

namespace attnscope::select {

void refuse_cuda() { throw MachineError("selection on a GPU asked for in a build without CUDA"); }

}  // namespace attnscope::select
