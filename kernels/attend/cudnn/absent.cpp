// SPDX-License-Identifier: Apache-2.0
// Stands in where the build has no cuDNN front end.
#include "harness/base/error.hpp"
#include "kernels/attend/cudnn/cudnn.hpp"

namespace attnscope::attend {
namespace {

constexpr const char* kReason = "this build has no cuDNN (needs CUDA and the nvidia-cudnn-frontend headers)";

}  // namespace

struct CudnnAttention::Plan {};

std::optional<std::string> cudnn_unsupported(const Shape&) { return kReason; }
CudnnAttention::CudnnAttention(const AttentionInputs&, const AttentionOutputs&, void*) { throw MachineError(kReason); }
CudnnAttention::~CudnnAttention() = default;
void CudnnAttention::run() { throw MachineError(kReason); }

}  // namespace attnscope::attend
