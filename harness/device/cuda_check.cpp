// SPDX-License-Identifier: Apache-2.0
#include "harness/device/cuda_check.hpp"

#include <fmt/format.h>

#include "harness/base/error.hpp"

namespace attnscope {

void cuda_check(cudaError_t status, std::string_view call) {
  if (status == cudaSuccess) return;
  throw Error(fmt::format("{}: {} ({})", call, cudaGetErrorString(status), cudaGetErrorName(status)));
}

}  // namespace attnscope
