// SPDX-License-Identifier: Apache-2.0
// Product codes on the GPU in a build without CUDA: it says so.
#include "harness/base/error.hpp"
#include "kernels/select/product_codes.hpp"

namespace attnscope::select {

std::unique_ptr<const CodeEngine> make_cuda_code_engine(void*) { throw MachineError("this build has no CUDA"); }

}  // namespace attnscope::select
