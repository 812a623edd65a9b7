// SPDX-License-Identifier: Apache-2.0
// The unit of decode work: a warp lets 16 query rows attend 16 keys that it has copied to shared memory.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/attend/cuda/mma.cuh"
#include "kernels/attend/cuda/packing.cuh"

namespace attnscope::device {

inline constexpr int kStepKeys = 16;  // keys that a warp takes at once
inline constexpr int kStages = 3;     // steps in shared memory: one being worked on, the others under way

/// A warp's steps in shared memory: per stage 16 rows of K and 16 of V. T is a half type.
template <typename T, int kHeadDim>
struct WarpStages {
  static constexpr int kRowBytes = kHeadDim * 2;
  static constexpr int kStepBytes = kStepKeys * kRowBytes;
  static constexpr int kBytes = kStages * 2 * kStepBytes;

  std::uint32_t base;

  __device__ std::uint32_t k(int stage) const { return base + stage * 2 * kStepBytes; }
  __device__ std::uint32_t v(int stage) const { return k(stage) + kStepBytes; }

  /// Begins to copy a step; lane n % 16 names the row of k and v of key n, −1 for none. Such rows become zero.
  __device__ void copy(int stage, const void* k_rows, const void* v_rows, std::int64_t lane_row) const {
    constexpr int kChunks = kRowBytes / 16;
    constexpr int kRowsPerCopy = 32 / kChunks;
    const int lane = threadIdx.x % 32;
    const int chunk = lane % kChunks;
#pragma unroll
    for (int i = 0; i < kStepKeys / kRowsPerCopy; ++i) {
      const int n = lane / kChunks + i * kRowsPerCopy;
      const std::int64_t row = __shfl_sync(kWarpMask, lane_row, n);
      const bool valid = row >= 0;
      const std::int64_t offset = (valid ? row : 0) * kHeadDim + chunk * 8;
      const std::uint32_t target = swizzled<kRowBytes>(n, chunk);
      copy_async(k(stage) + target, static_cast<const T*>(k_rows) + offset, valid);
      copy_async(v(stage) + target, static_cast<const T*>(v_rows) + offset, valid);
    }
  }
};

/// Q as A fragments, and O, maxima and sums in the m16n8 accumulator layout: thread (g = lane / 4, t = lane % 4) owns
/// rows g and g + 8. Maxima are of unscaled scores; O and the sums are relative to them; sums are of the thread's keys.
template <typename T, int kHeadDim>
struct WarpTile {
  static constexpr int kSteps = kHeadDim / 16;
  static constexpr int kOutTiles = kHeadDim / 8;

  std::uint32_t q[kSteps][4];
  float out[kOutTiles][4];
  float maximum[2];
  float sum[2];

  /// row_of(local) is the row of `q_rows` of the tile's row `local` < count; rows past the tile are zero.
  template <typename RowOf>
  __device__ void load(const void* q_rows, int count, const RowOf& row_of) {
    const int lane = threadIdx.x % 32;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int local = half * 8 + lane / 4;
      const bool valid = local < count;
      const auto* source = reinterpret_cast<const std::uint32_t*>(static_cast<const T*>(q_rows) +
                                                                  (valid ? row_of(local) : 0) * kHeadDim);
#pragma unroll
      for (int s = 0; s < kSteps; ++s) {
        q[s][half] = valid ? source[s * 8 + lane % 4] : 0;
        q[s][half + 2] = valid ? source[s * 8 + lane % 4 + 4] : 0;
      }
      maximum[half] = -INFINITY;
      sum[half] = 0.0f;
    }
#pragma unroll
    for (int n = 0; n < kOutTiles; ++n)
#pragma unroll
      for (int e = 0; e < 4; ++e) out[n][e] = 0.0f;
  }

  /// Attends the step in `stage`. adjust(half, n, score) gives the score of row lane / 4 + 8 · half with key n in place
  /// of the unscaled q · k; −infinity where the row doesn't attend the key.
  template <typename Adjust>
  __device__ __forceinline__ void attend(const WarpStages<T, kHeadDim>& stages, int stage, float scale_log2,
                                         const Adjust& adjust) {
    constexpr int kRowBytes = WarpStages<T, kHeadDim>::kRowBytes;
    const int lane = threadIdx.x % 32;
    const int row8 = lane & 7;
    const std::uint32_t k_tile =
        stages.k(stage) + (row8 + (lane >> 4) * 8) * kRowBytes + ((((lane >> 3) & 1) ^ row8) << 4);
    const std::uint32_t v_tile = stages.v(stage) + (lane & 15) * kRowBytes + (((lane >> 4) ^ row8) << 4);
    float score[2][4] = {};
#pragma unroll
    for (int s = 0; s < kSteps; ++s) {
      std::uint32_t b[4];
      ldmatrix(b, k_tile ^ (s << 5));
      mma<T>(score[0], q[s], b[0], b[1]);
      mma<T>(score[1], q[s], b[2], b[3]);
    }

    float shift[2];
    float rescale[2];
    bool moved = false;
#pragma unroll
    for (int n = 0; n < 2; ++n)
#pragma unroll
      for (int e = 0; e < 4; ++e) score[n][e] = adjust(e / 2, n * 8 + lane % 4 * 2 + e % 2, score[n][e]);
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float best = maximum[half];
#pragma unroll
      for (int n = 0; n < 2; ++n) best = fmaxf(best, fmaxf(score[n][half * 2], score[n][half * 2 + 1]));
      best = fmaxf(best, __shfl_xor_sync(kWarpMask, best, 1));
      best = fmaxf(best, __shfl_xor_sync(kWarpMask, best, 2));
      moved |= best != maximum[half];
      shift[half] = best == -INFINITY ? 0.0f : best * scale_log2;
      rescale[half] = exp2_fast(maximum[half] * scale_log2 - shift[half]);
      maximum[half] = best;
    }
    if (__any_sync(kWarpMask, moved)) {
      sum[0] *= rescale[0];
      sum[1] *= rescale[1];
#pragma unroll
      for (int n = 0; n < kOutTiles; ++n) {
        out[n][0] *= rescale[0];
        out[n][1] *= rescale[0];
        out[n][2] *= rescale[1];
        out[n][3] *= rescale[1];
      }
    }
#pragma unroll
    for (int n = 0; n < 2; ++n)
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        score[n][e] = exp2_fast(fmaf(score[n][e], scale_log2, -shift[e / 2]));
        sum[e / 2] += score[n][e];
      }
    const std::uint32_t p[4] = {pack<T>(score[0][0], score[0][1]), pack<T>(score[0][2], score[0][3]),
                                pack<T>(score[1][0], score[1][1]), pack<T>(score[1][2], score[1][3])};
#pragma unroll
    for (int n = 0; n < kOutTiles; n += 2) {
      std::uint32_t b[4];
      ldmatrix_transposed(b, v_tile ^ (n << 4));
      mma<T>(out[n], p, b[0], b[1]);
      mma<T>(out[n + 1], p, b[2], b[3]);
    }
  }

  /// Gives each thread the sums of its rows over all keys. Called once, after the last step.
  __device__ void finish_sums() {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      sum[half] += __shfl_xor_sync(kWarpMask, sum[half], 1);
      sum[half] += __shfl_xor_sync(kWarpMask, sum[half], 2);
    }
  }

  /// emit(local, half) for the rows < count that this thread holds.
  template <typename Emit>
  __device__ void for_rows(int count, const Emit& emit) const {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int local = half * 8 + threadIdx.x % 32 / 4;
      if (local < count) emit(local, half);
    }
  }

  /// emit(channel, pair of neighbouring channels of O) for what this thread holds of a row.
  template <typename Emit>
  __device__ void for_channels(int half, const Emit& emit) const {
#pragma unroll
    for (int n = 0; n < kOutTiles; ++n)
      emit(n * 8 + static_cast<int>(threadIdx.x % 4) * 2, float2{out[n][half * 2], out[n][half * 2 + 1]});
  }
};

}  // namespace attnscope::device
