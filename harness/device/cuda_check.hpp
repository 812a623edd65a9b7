// SPDX-License-Identifier: Apache-2.0
// CUDA status codes as exceptions. Only for builds with CUDA.
#pragma once

#include <cuda_runtime_api.h>

#include <string_view>

namespace attnscope {

/// Throws Error with the call's name and CUDA's own words unless `status` is success.
void cuda_check(cudaError_t status, std::string_view call);

}  // namespace attnscope
