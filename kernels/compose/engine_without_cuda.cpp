// SPDX-License-Identifier: Apache-2.0
// The CUDA engine of a build without CUDA: it says so.
#include "harness/base/error.hpp"
#include "kernels/compose/engine.hpp"

namespace attnscope::compose {

constexpr const char* kWithoutCuda = "this build has no CUDA";

std::unique_ptr<const Engine> make_cuda_engine(void*) { throw MachineError(kWithoutCuda); }

std::optional<std::string> cuda_engine_unsupported(const Shape&) { return kWithoutCuda; }

}  // namespace attnscope::compose
