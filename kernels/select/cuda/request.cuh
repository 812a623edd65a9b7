// SPDX-License-Identifier: Apache-2.0
// What a selection kernel is asked for.
#pragma once

#include <cstdint>
#include <type_traits>

#include "kernels/select/cuda/radix.cuh"

namespace attnscope::select::cuda {

struct Request {
  const float* __restrict__ scores;
  const std::int32_t* __restrict__ lengths;  // null: every row is `stride` long
  std::int64_t stride;
  std::int32_t* __restrict__ indices;
  std::int32_t* __restrict__ counts;
  std::int64_t capacity;
  std::int64_t k;  // top-k
  double p;        // top-p

  __device__ int length(std::int64_t row) const { return lengths ? lengths[row] : static_cast<int>(stride); }
};

template <bool kTopP>
using WeightOf = std::conditional_t<kTopP, MassWeight, CountWeight>;

template <bool kTopP>
__device__ WeightOf<kTopP> make_weight(std::uint32_t max_key, int length) {
  if constexpr (kTopP)
    return MassWeight(max_key, length);
  else
    return CountWeight{};
}

/// True when the answer is the whole row, whatever the scores.
template <bool kTopP>
__device__ bool takes_all(const Request& request, int length) {
  return kTopP ? request.p >= 1.0 || length == 0 : length <= request.k;
}

/// The weight that the selection must reach, given that of the whole row. At least one key is selected.
template <bool kTopP>
__device__ std::uint64_t row_target(const Request& request, std::uint64_t total) {
  if constexpr (!kTopP) return static_cast<std::uint64_t>(request.k);
  const auto target = static_cast<std::uint64_t>(ceil(request.p * static_cast<double>(total)));
  return min(max(target, std::uint64_t{1}), total);
}

}  // namespace attnscope::select::cuda
