// SPDX-License-Identifier: Apache-2.0
// Writing O, in the type of the inputs T or, for partial results, in float.
#pragma once

#include <cmath>

#include "harness/base/attention.hpp"
#include "kernels/attend/cuda/mma.cuh"

namespace attnscope::device {

template <typename T>
__device__ __forceinline__ void store(const AttentionOutputs& out, std::int64_t element, float value) {
  if (std::is_same_v<T, float> || out.partial)
    static_cast<float*>(out.o)[element] = value;
  else if constexpr (std::is_same_v<T, bf16>)
    static_cast<bf16*>(out.o)[element] = __float2bfloat16_rn(value);
  else if constexpr (std::is_same_v<T, f16>)
    static_cast<f16*>(out.o)[element] = __float2half_rn(value);
}

/// Elements `element`, which is even, and the next; T is a half type.
template <typename T>
__device__ __forceinline__ void store_pair(const AttentionOutputs& out, std::int64_t element, float2 value) {
  if (out.partial)
    *reinterpret_cast<float2*>(static_cast<float*>(out.o) + element) = value;
  else
    *reinterpret_cast<std::uint32_t*>(static_cast<T*>(out.o) + element) = pack<T>(value.x, value.y);
}

/// ln Σ e^s from the maximum and the sum relative to it; −infinity for a row without keys.
__device__ __forceinline__ float log_sum(float maximum, float sum) {
  return sum > 0.0f ? maximum + logf(sum) : -INFINITY;
}

}  // namespace attnscope::device
