// SPDX-License-Identifier: Apache-2.0
// The tiles of keys that a block of the prefill kernel visits, one class for each way to say them. A tile is a few runs
// of 16 consecutive keys.
#pragma once

#include <cstdint>

#include "kernels/attend/cuda/keys.cuh"

namespace attnscope::device {

inline constexpr int kRunKeys = 16;

struct PrefillArgs {
  const void* __restrict__ q;
  const void* __restrict__ k;
  const void* __restrict__ v;
  void* __restrict__ o;
  float* __restrict__ lse;
  Axis axis;
  Window window;
  const std::int64_t* __restrict__ list_begin;
  const std::int32_t* __restrict__ list_indices;
  int block_q;  // query rows under one list
  int block_k;
  int q_blocks;
  int tiles_per_block;
  int heads;  // batch · q_heads
  int group;
  int section_heads;  // heads whose K and V share the L2
  float scale;
};

/// Dense and Band: the tiles of the sink, then those of the window.
template <int kTileKeys>
class WindowTiles {
 public:
  static constexpr int kKeys = kTileKeys;
  struct Shared {};

  __device__ WindowTiles(const PrefillArgs& args, int /*list*/, int i_first, int i_last, Shared&)
      : ranges_(args.axis, args.window, i_first, i_last, kTileKeys),
        first_row_(args.axis, args.window, i_first),
        last_row_(args.axis, args.window, i_last) {}
  __device__ int count() const { return ranges_.length / kTileKeys; }
  /// First key of a run of 16 in a tile.
  __device__ int run_begin(int tile, int run) const { return ranges_.key(tile * kTileKeys) + run * kRunKeys; }
  /// Every row of the query tile attends every key of the tile.
  __device__ bool full(int tile) const {
    const int begin = ranges_.key(tile * kTileKeys);
    const int end = begin + kTileKeys;
    const bool in_window = begin >= last_row_.first && end <= first_row_.last;
    return end <= first_row_.limit && (end <= first_row_.sink || in_window);
  }
  __device__ void look_up(int /*tile*/) {}
  __device__ void publish(int /*tile*/) {}
  __device__ static RowMask mask(const PrefillArgs& args, int i) { return {args.axis, args.window, i}; }

 private:
  KeyRanges ranges_;
  RowMask first_row_;
  RowMask last_row_;
};

/// BlockList: the listed blocks end to end, a few runs of 16 keys to a tile. Where runs begin is looked up two tiles
/// ahead and passed on through shared memory, so that reading the list costs no wait.
template <int kTileKeys>
class ListTiles {
  static constexpr int kRuns = kTileKeys / kRunKeys;
  static constexpr int kSlots = 4;

 public:
  static constexpr int kKeys = kTileKeys;
  struct Shared {
    KeyRuns keys;
    int limit;  // keys that the first row of the query tile sees
    int begins[kSlots][kRuns];
  };

  __device__ ListTiles(const PrefillArgs& args, int list, int i_first, int /*i_last*/, Shared& shared)
      : shared_(shared) {
    if (threadIdx.x == 0) {
      const std::int64_t begin = args.list_begin[list];
      shared_.keys =
          key_runs(args.list_indices + begin, static_cast<int>(args.list_begin[list + 1] - begin), args.block_k);
      shared_.limit = args.axis.visible(i_first);
    }
    __syncthreads();
    for (const int tile : {0, 1}) {
      look_up(tile);
      publish(tile);
    }
    __syncthreads();
  }
  __device__ int count() const { return (shared_.keys.length + kTileKeys - 1) / kTileKeys; }
  /// First key of a run of 16 in a tile that was published before the last barrier; kNoKey past the end of the list.
  __device__ int run_begin(int tile, int run) const { return shared_.begins[tile % kSlots][run]; }
  /// Lists ascend, so the last run tells how far the tile reaches.
  __device__ bool full(int tile) const { return run_begin(tile, kRuns - 1) <= shared_.limit - kRunKeys; }
  __device__ void look_up(int tile) {
    const int n = tile * kTileKeys + static_cast<int>(threadIdx.x) % kRuns * kRunKeys;
    looked_up_ = n < shared_.keys.length ? shared_.keys.key(n) : kNoKey;
  }
  __device__ void publish(int tile) {
    if (threadIdx.x < kRuns) shared_.begins[tile % kSlots][threadIdx.x] = looked_up_;
  }
  __device__ static RowMask mask(const PrefillArgs& args, int i) { return {args.axis, i}; }

 private:
  Shared& shared_;
  int looked_up_;
};

}  // namespace attnscope::device
