// SPDX-License-Identifier: Apache-2.0
// The threshold of a row that one block works on.
#pragma once

#include <cstdint>
#include <type_traits>

#include "kernels/select/cuda/request.cuh"

namespace attnscope::select::cuda {

/// By radix descent over the whole row.
template <bool kTopP>
__device__ Threshold descend_row(const Request& request, const float* values, int length, const WeightOf<kTopP>& weight,
                                 Histogram<kTopP>& histogram) {
  const auto step = [&]<int kDigit>(std::integral_constant<int, kDigit>, const Descent& from) {
    histogram.clear();
    __syncthreads();
    accumulate<kDigit>(values, 0, length, from.prefix, weight, histogram);
    __syncthreads();
    return descend<kDigit>(histogram, from.prefix, [&](std::uint64_t total) {
      return kDigit == 0 ? row_target<kTopP>(request, total) : from.wanted;
    });
  };
  const Descent first = step(std::integral_constant<int, 0>{}, Descent{});
  const Descent second = step(std::integral_constant<int, 1>{}, first);
  return threshold_at(step(std::integral_constant<int, 2>{}, second), weight);
}

/// Keys of the bin that holds a threshold, when they are few enough to compare each with all.
struct Finalists {
  static constexpr int kMost = kThreads;
  std::uint64_t weights[kMost];
  std::uint32_t keys[kMost];
  int count;
  Threshold threshold;

  __device__ void gather(const float* values, int length, int bin, const MassWeight& weight) {
    if (threadIdx.x == 0) count = 0;
    __syncthreads();
    for_each_key(values, 0, length, [&](std::uint32_t key) {
      if (mass_bin(key, weight.maximum) != bin) return;
      const int place = atomicAdd(&count, 1);  // any order: what follows are sums of whole numbers
      if (place >= kMost) return;
      keys[place] = key;
      weights[place] = weight(key);
    });
    __syncthreads();
  }

  /// The threshold is the key with which the wanted weight is reached: that of larger keys falls short.
  __device__ Threshold reach(std::uint64_t wanted) {
    if (const int i = threadIdx.x; i < count) {
      std::uint64_t above = 0;
      std::uint64_t equal = 0;
      for (int j = 0; j < count; ++j) {
        above += keys[j] > keys[i] ? weights[j] : 0;
        equal += keys[j] == keys[i] ? weights[j] : 0;
      }
      if (above < wanted && wanted <= above + equal)
        threshold = {keys[i], static_cast<int>((wanted - above + weights[i] - 1) / weights[i])};
    }
    __syncthreads();
    return threshold;
  }
};

/// The threshold of a row from which not everything is taken. The result is valid in every thread.
template <bool kTopP>
__device__ Threshold row_threshold(const Request& request, const float* values, int length) {
  if constexpr (!kTopP) {
    __shared__ Histogram<false> histogram;
    return descend_row<false>(request, values, length, CountWeight{}, histogram);
  } else {
    __shared__ union {
      Histogram<true> histogram;
      Finalists finalists;
    } shared;
    const MassWeight weight(largest_key(values, 0, length), length);
    shared.histogram.clear();
    __syncthreads();
    for_each_key(values, 0, length,
                 [&](std::uint32_t key) { shared.histogram.add(mass_bin(key, weight.maximum), weight(key)); });
    __syncthreads();
    const Descent found =
        descend<0>(shared.histogram, 0u, [&](std::uint64_t total) { return row_target<true>(request, total); });
    if (found.wanted == 0) return {~0u, 0};  // nothing has mass
    shared.finalists.gather(values, length, static_cast<int>(found.prefix), weight);
    if (shared.finalists.count <= Finalists::kMost) return shared.finalists.reach(found.wanted);
    __syncthreads();  // the count has been read
    return descend_row<true>(request, values, length, weight, shared.histogram);
  }
}

}  // namespace attnscope::select::cuda
