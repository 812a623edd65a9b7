// SPDX-License-Identifier: Apache-2.0
// Building blocks of exact selection by radix descent. Scores become unsigned keys of the same order, and three digits
// (11, 11 and 10 bits, from the top) narrow down the threshold: the largest key T such that the keys ≥ T weigh at least
// the target. A key weighs 1 (top-k) or its share of the softmax mass (top-p). Finding the threshold takes a whole
// block of kThreads threads; counting and writing what it selects is work for single warps.
#pragma once

#include <cfloat>
#include <cstdint>

namespace attnscope::select::cuda {

inline constexpr int kThreads = 512;
inline constexpr int kWarps = kThreads / 32;
inline constexpr int kItems = 8;  // loads that a thread has in flight
inline constexpr int kTile = kThreads * kItems;
inline constexpr int kDigits = 3;
inline constexpr int kBins = 2048;
inline constexpr unsigned kAllLanes = 0xffffffffu;

__host__ __device__ constexpr int digit_shift(int digit) { return digit == 0 ? 21 : digit == 1 ? 10 : 0; }
__host__ __device__ constexpr int digit_bits(int digit) { return digit == 2 ? 10 : 11; }

/// A key whose unsigned order is the order of the scores; −0 and +0 share one.
__device__ __forceinline__ std::uint32_t ordered_key(float score) {
  const std::uint32_t bits = __float_as_uint(score + 0.0f);
  return bits ^ (bits >> 31 ? 0xffffffffu : 0x80000000u);
}
__device__ __forceinline__ float score_of(std::uint32_t key) {
  return __uint_as_float(key ^ (key >> 31 ? 0x80000000u : 0xffffffffu));
}

/// Top-k: every key counts one.
struct CountWeight {
  static constexpr bool kWide = false;
  __device__ std::uint64_t operator()(std::uint32_t) const { return 1; }
};

/// Top-p: e^(s − max) in fixed point, so that sums do not depend on their order. The unit 2^−shift leaves room for
/// `length` keys of weight 1: at a million keys it is 2^−42, and truncation costs less than 2^−22 of the largest term.
/// Scores of −infinity weigh 0, also where there are no others.
struct MassWeight {
  static constexpr bool kWide = true;
  float maximum;
  float units;

  __device__ MassWeight(std::uint32_t max_key, int length) {
    maximum = fmaxf(score_of(max_key), -FLT_MAX);
    units = ldexpf(1.0f, 30 + __clz(length));
  }
  __device__ std::uint64_t operator()(std::uint32_t key) const {
    return static_cast<std::uint64_t>(expf(score_of(key) - maximum) * units);
  }
};

/// Bin of a score by its distance from the row's maximum, 1/64 each, larger scores in higher bins; the lowest holds all
/// that is left. Even distances spread scores over hundreds of bins, where the leading bits of floats crowd them into
/// tens, and the bin of a top-p threshold holds few.
__device__ inline int mass_bin(std::uint32_t key, float maximum) {
  return kBins - 1 - static_cast<int>(fminf((maximum - score_of(key)) * 64.0f, kBins - 1));
}

/// Where the descent stands: the digits found so far, and the weight still wanted from keys that begin with them.
struct Descent {
  std::uint32_t prefix;
  std::uint64_t wanted;
};

/// Keys above `key` are selected, and the first `ties` of those equal to it.
struct Threshold {
  std::uint32_t key;
  int ties;
};

/// Weights by digit, in a few copies among which the lanes of a warp are spread: real scores crowd into some tens of
/// bins, and lanes that add to one word take turns. 64-bit bins are two words, since shared memory adds only 32 bits
/// natively.
template <bool kWide>
struct Histogram {
  static constexpr int kCopies = kWide ? 2 : 4;
  static constexpr int kStride = kBins + 32 / kCopies;  // copies of one bin lie in different banks
  std::uint32_t low[kCopies * kStride];
  std::uint32_t high[kWide ? kCopies * kStride : 1];

  __device__ void clear() {
    for (int word = threadIdx.x; word < kCopies * kStride; word += kThreads) {
      low[word] = 0;
      if constexpr (kWide) high[word] = 0;
    }
  }
  __device__ void add(int bin, std::uint64_t weight) {
    const int word = static_cast<int>(threadIdx.x) % kCopies * kStride + bin;
    const auto lower = static_cast<std::uint32_t>(weight);
    const std::uint32_t before = atomicAdd(&low[word], lower);
    if constexpr (kWide) {
      const std::uint32_t carry = before + lower < before ? 1u : 0u;
      const std::uint32_t upper = static_cast<std::uint32_t>(weight >> 32) + carry;
      if (upper) atomicAdd(&high[word], upper);
    }
  }
  __device__ std::uint64_t operator[](int bin) const {
    std::uint64_t sum = 0;
#pragma unroll
    for (int copy = 0; copy < kCopies; ++copy) {
      sum += low[copy * kStride + bin];
      if constexpr (kWide) sum += std::uint64_t{high[copy * kStride + bin]} << 32;
    }
    return sum;
  }
};

/// Calls visit(key) for every score of values[begin .. end), in no particular order.
template <typename Visit>
__device__ void for_each_key(const float* values, int begin, int end, Visit visit) {
  int tile = begin;
  for (; tile + kTile <= end; tile += kTile) {
    float scores[kItems];
    const float* own = values + tile + threadIdx.x;
#pragma unroll
    for (int j = 0; j < kItems; ++j) scores[j] = own[j * kThreads];
#pragma unroll
    for (int j = 0; j < kItems; ++j) visit(ordered_key(scores[j]));
  }
  if (tile < end) {
    float scores[kItems];
#pragma unroll
    for (int j = 0; j < kItems; ++j) {
      const int index = tile + j * kThreads + static_cast<int>(threadIdx.x);
      if (index < end) scores[j] = values[index];
    }
#pragma unroll
    for (int j = 0; j < kItems; ++j) {
      const int index = tile + j * kThreads + static_cast<int>(threadIdx.x);
      if (index < end) visit(ordered_key(scores[j]));
    }
  }
}

/// Adds to `histogram` the weight of every key that begins with the digits found so far.
template <int kDigit, typename Weight>
__device__ void accumulate(const float* values, int begin, int end, std::uint32_t prefix, const Weight& weight,
                           Histogram<Weight::kWide>& histogram) {
  constexpr int kAbove = digit_shift(kDigit) + digit_bits(kDigit);
  for_each_key(values, begin, end, [&](std::uint32_t key) {
    if (kDigit == 0 || key >> (kAbove % 32) == prefix)
      histogram.add(key >> digit_shift(kDigit) & ((1 << digit_bits(kDigit)) - 1), weight(key));
  });
}

/// Largest key of values[begin .. end), 0 for an empty range. The result is valid in every thread.
__device__ inline std::uint32_t largest_key(const float* values, int begin, int end) {
  __shared__ std::uint32_t largest;
  if (threadIdx.x == 0) largest = 0;
  __syncthreads();
  std::uint32_t own = 0;
  for_each_key(values, begin, end, [&](std::uint32_t key) { own = max(own, key); });
  own = __reduce_max_sync(kAllLanes, own);
  if (threadIdx.x % 32 == 0) atomicMax(&largest, own);
  __syncthreads();
  return largest;
}

/// One step down: the bin in which the wanted weight is reached, counted from the top. `target(total)` turns the
/// weight of all bins into the wanted one. The result is valid in every thread. Where nothing is wanted, because
/// nothing has weight, no key begins with the result.
template <int kDigit, typename Bins, typename Target>
__device__ Descent descend(const Bins& bins, std::uint32_t prefix, Target target) {
  constexpr int kOwn = kBins / kThreads;
  __shared__ std::uint64_t warp_sums[kWarps];
  __shared__ Descent found;
  const int lane = threadIdx.x % 32;
  const int warp = threadIdx.x / 32;
  const int top = kBins - 1 - static_cast<int>(threadIdx.x) * kOwn;
  if (threadIdx.x == 0) found = {~0u, 0};

  std::uint64_t own[kOwn];
  std::uint64_t sum = 0;
#pragma unroll
  for (int e = 0; e < kOwn; ++e) sum += own[e] = bins[top - e];
  std::uint64_t inclusive = sum;
#pragma unroll
  for (int offset = 1; offset < 32; offset *= 2) {
    const std::uint64_t lower = __shfl_up_sync(kAllLanes, inclusive, offset);
    if (lane >= offset) inclusive += lower;
  }
  if (lane == 31) warp_sums[warp] = inclusive;
  __syncthreads();
  std::uint64_t above = inclusive - sum;
  std::uint64_t total = 0;
  for (int w = 0; w < kWarps; ++w) {
    if (w < warp) above += warp_sums[w];
    total += warp_sums[w];
  }
  const std::uint64_t wanted = target(total);
  if (above < wanted && wanted <= above + sum) {
#pragma unroll
    for (int e = 0; e < kOwn; ++e) {
      if (above < wanted && wanted <= above + own[e])
        found = {prefix << digit_bits(kDigit) | static_cast<std::uint32_t>(top - e), wanted - above};
      above += own[e];
    }
  }
  __syncthreads();
  return found;
}

/// The threshold at the end of a descent: as many of the equal keys as the wanted weight still needs.
template <typename Weight>
__device__ Threshold threshold_at(const Descent& end, const Weight& weight) {
  if (end.wanted == 0) return {~0u, 0};
  const std::uint64_t each = weight(end.prefix);
  return {end.prefix, static_cast<int>((end.wanted + each - 1) / each)};
}

/// Keys above and keys equal to a threshold.
struct Tally {
  int above;
  int equal;
  __device__ int selected(int ties) const { return above + min(equal, ties); }
  __device__ Tally& operator+=(const Tally& other) {
    above += other.above;
    equal += other.equal;
    return *this;
  }
};

/// The consecutive part of [begin, end) that a warp counts and writes by itself, without barriers.
struct WarpRange {
  int begin;
  int end;

  __device__ WarpRange(int block_begin, int block_end, int warp) {
    const int keys = ((block_end - block_begin + kWarps - 1) / kWarps + 31) / 32 * 32;
    begin = min(block_begin + warp * keys, block_end);
    end = min(begin + keys, block_end);
  }
};

/// Calls visit(index, above, equal) for every 32 keys of a warp's range in order: `index` is the lane's own, the masks
/// tell which lanes hold keys above and equal to the threshold.
template <typename Visit>
__device__ void for_each_lane_mask(const float* values, WarpRange range, std::uint32_t threshold, Visit visit) {
  int first = range.begin + static_cast<int>(threadIdx.x) % 32;
  const int end_of_full = range.end - (range.end - range.begin) % (32 * kItems);
  for (; first < end_of_full; first += 32 * kItems) {
    float scores[kItems];
#pragma unroll
    for (int j = 0; j < kItems; ++j) scores[j] = values[first + j * 32];
#pragma unroll
    for (int j = 0; j < kItems; ++j) {
      const std::uint32_t key = ordered_key(scores[j]);
      visit(first + j * 32, __ballot_sync(kAllLanes, key > threshold), __ballot_sync(kAllLanes, key == threshold));
    }
  }
  if (end_of_full < range.end) {
    float scores[kItems];
#pragma unroll
    for (int j = 0; j < kItems; ++j)
      if (first + j * 32 < range.end) scores[j] = values[first + j * 32];
#pragma unroll
    for (int j = 0; j < kItems; ++j) {
      const bool valid = first + j * 32 < range.end;
      const std::uint32_t key = valid ? ordered_key(scores[j]) : 0;
      visit(first + j * 32, __ballot_sync(kAllLanes, valid && key > threshold),
            __ballot_sync(kAllLanes, valid && key == threshold));
    }
  }
}

/// Keys of a warp's range above and equal to the threshold.
__device__ inline Tally count_keys(const float* values, WarpRange range, std::uint32_t threshold) {
  Tally tally{};
  for_each_lane_mask(values, range, threshold, [&](int, unsigned above, unsigned equal) {
    tally.above += __popc(above);
    tally.equal += __popc(equal);
  });
  return tally;
}

/// Writes the selected indices of a warp's range, ascending, to `indices`, which is the list of the whole row; `before`
/// counts the keys of the row ahead of the range.
__device__ inline void write_indices(const float* values, WarpRange range, Threshold threshold, Tally before,
                                     std::int32_t* indices) {
  const int lane = threadIdx.x % 32;
  const unsigned lower_lanes = (1u << lane) - 1;
  for_each_lane_mask(values, range, threshold.key, [&](int index, unsigned above, unsigned equal) {
    if ((above | equal) == 0) return;
    const Tally here{before.above + __popc(above & lower_lanes), before.equal + __popc(equal & lower_lanes)};
    const bool is_above = above >> lane & 1;
    const bool is_tie = (equal >> lane & 1) && here.equal < threshold.ties;
    if (is_above || is_tie) indices[here.selected(threshold.ties)] = index;
    before.above += __popc(above);
    before.equal += __popc(equal);
  });
}

}  // namespace attnscope::select::cuda
