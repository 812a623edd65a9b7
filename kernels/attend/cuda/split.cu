// SPDX-License-Identifier: Apache-2.0
// Forward attention of few query rows per KV head (decode) over every key or a band: the keys are split evenly over
// CTAs, partial results merged (Flash-Decoding).
#include <algorithm>
#include <numbers>

#include "harness/device/cuda_check.hpp"
#include "kernels/attend/cuda/cache.cuh"
#include "kernels/attend/cuda/launch.hpp"
#include "kernels/attend/cuda/merge.cuh"
#include "kernels/attend/cuda/plan.hpp"
#include "kernels/attend/cuda/warp_tile.cuh"

namespace attnscope::attend {
namespace {

using namespace device;

constexpr int kWarps = 4;
constexpr int kThreads = kWarps * 32;
constexpr int kBlockKeys = kWarps * kStepKeys;

struct Args {
  const void* __restrict__ q;
  const void* __restrict__ k;
  const void* __restrict__ v;
  AttentionOutputs out;
  Axis axis;
  Packing packing;
  Window window;
  Cache cache;
  int heads_per_kv;
  float scale;
  Partials partials;
};

/// What a lane knows of key n = lane % 16 of a step.
struct StepKey {
  int key = kNoKey;
  std::int64_t row = -1;
};

// A block owns one split of the keys of one tile of ≤ 16 query rows under one KV head; a warp every fourth run of 16
// of those keys, with its own softmax state and O; a thread two rows in the m16n8 accumulator layout.
// Reads Q once per split and each key's K and V rows once per tile; writes O and LSE, or a partial of each in fp32.
// Shared memory: per warp three stages of 16 K rows and 16 V rows (cp.async), with their key numbers; the O of the
// four warps at the end. Two stages in flight on eight warps are 64–128 KB per SM.
// Shapes: any rows, kv_len < 2^30; contiguous caches, and paged ones with pages of any size.
// Floor: 4·d bytes per key and KV head. Measured on an H200, one sequence of a million tokens, 32 / 8 heads, d = 128,
// bf16: 966 µs contiguous, 0.99 of the HBM read rate; 994 µs from scattered pages of 16 keys, 970 of 64; 131k tokens:
// 142, 145 and 143 µs.
template <typename T, int kHeadDim>
__global__ __launch_bounds__(kThreads, 2) void split_kernel(const __grid_constant__ Args args) {
  using Stages = WarpStages<T, kHeadDim>;
  const int lane = threadIdx.x % 32;
  const int warp = threadIdx.x / 32;
  const int tile = static_cast<int>(blockIdx.x);
  const int split = blockIdx.y;
  const TileRows rows(args.packing, tile);
  const KeyRanges sequence(args.axis, args.window, rows.query(args.packing, 0),
                           rows.query(args.packing, rows.count - 1), 1);

  const int share = (sequence.length + args.partials.splits - 1) / args.partials.splits;
  const int split_keys = (share + kBlockKeys - 1) / kBlockKeys * kBlockKeys;
  const int begin = static_cast<int>(min(std::int64_t{split} * split_keys, std::int64_t{sequence.length}));
  const int end = min(begin + split_keys, sequence.length);
  if (begin >= end && args.partials.splits > 1) {
    if (threadIdx.x < rows.count) args.partials.state[args.partials.row(tile, split, threadIdx.x)] = {-INFINITY, 0.0f};
    return;
  }

  extern __shared__ __align__(1024) unsigned char shared[];
  __shared__ int shared_keys[kWarps][kStages][kStepKeys];
  const Stages stages{shared_address(shared) + warp * Stages::kBytes};
  const KvRows kv_rows = args.cache.rows(rows.head0 / args.heads_per_kv);

  // Keys are looked up two steps before they are copied, so that the latency of the page table is hidden.
  const auto look_up = [&](int step) {
    const int n = begin + (step * kWarps + warp) * kStepKeys + lane % kStepKeys;
    StepKey at;
    if (n < end) at.key = sequence.key(n);
    if (at.key < args.axis.kv_len) at.row = kv_rows.row(at.key);
    return at;
  };
  StepKey next = look_up(0);
  StepKey later = look_up(1);
  const auto load_step = [&](int step) {
    const int stage = step % kStages;
    if (lane < kStepKeys) shared_keys[warp][stage][lane] = next.key;
    stages.copy(stage, args.k, args.v, next.row);
    next = later;
    later = look_up(step + 2);
  };

  const int step_count = (end - begin + kBlockKeys - 1) / kBlockKeys;
#pragma unroll
  for (int step = 0; step < kStages - 1; ++step) {
    if (step < step_count) load_step(step);
    copy_commit();
  }

  WarpTile<T, kHeadDim> state;
  state.load(args.q, rows.count, [&](int local) { return rows.row(args.packing, args.axis, local); });
  RowMask masks[2];
  state.for_rows(rows.count, [&](int local, int half) {
    masks[half] = RowMask(args.axis, args.window, rows.query(args.packing, local));
  });

  const float scale_log2 = args.scale * std::numbers::log2e_v<float>;
  for (int step = 0; step < step_count; ++step) {
    copy_wait<kStages - 2>();
    __syncwarp();  // this step has landed, and every lane is done with the stage refilled next
    if (step + kStages - 1 < step_count) load_step(step + kStages - 1);
    copy_commit();
    const int stage = step % kStages;
    state.attend(stages, stage, scale_log2, [&](int half, int n, float score) {
      return masks[half].attends(shared_keys[warp][stage][n]) ? score : -INFINITY;
    });
  }

  copy_wait<0>();
  state.finish_sums();
  WarpMerge<kWarps, T, kHeadDim>::run(state, rows.count, args.scale, shared,
                                      [&](int local, int channel, float value, float maximum, float sum) {
                                        if (args.partials.splits > 1) {
                                          const std::int64_t row = args.partials.row(tile, split, local);
                                          args.partials.o[row * kHeadDim + channel] = value;
                                          if (channel == 0) args.partials.state[row] = {maximum, sum};
                                        } else {
                                          const std::int64_t row = rows.row(args.packing, args.axis, local);
                                          store<T>(args.out, row * kHeadDim + channel, sum > 0.0f ? value / sum : 0.0f);
                                          if (channel == 0) args.out.lse[row] = log_sum(maximum, sum);
                                        }
                                      });
}

// A block owns one query row of one tile. Reads each partial once.
template <typename T, int kHeadDim>
__global__ __launch_bounds__(kMergeThreads) void merge_kernel(const __grid_constant__ Args args) {
  const int tile = static_cast<int>(blockIdx.x);
  const TileRows rows(args.packing, tile);
  const int local = static_cast<int>(blockIdx.y);
  if (local >= rows.count) return;
  merge_row<T, kHeadDim>(
      args.partials, args.partials.splits, [&](int split) { return args.partials.row(tile, split, local); }, args.out,
      rows.row(args.packing, args.axis, local));
}

template <typename T, int kHeadDim>
void launch(const Args& args, const SplitPlan& plan, cudaStream_t stream) {
  constexpr int kSharedBytes =
      std::max(kWarps * WarpStages<T, kHeadDim>::kBytes, WarpMerge<kWarps, T, kHeadDim>::kBytes);
  const auto kernel = split_kernel<T, kHeadDim>;
  cuda_check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, kSharedBytes),
             "attend::cuda split: shared memory");
  const auto tiles = static_cast<unsigned>(plan.tiles);
  kernel<<<dim3(tiles, static_cast<unsigned>(plan.splits)), kThreads, kSharedBytes, stream>>>(args);
  cuda_check(cudaGetLastError(), "attend::cuda split");
  if (plan.splits == 1) return;
  merge_kernel<T, kHeadDim><<<dim3(tiles, static_cast<unsigned>(plan.tile_rows)), kMergeThreads, 0, stream>>>(args);
  cuda_check(cudaGetLastError(), "attend::cuda merge");
}

template <typename T>
void launch_head_dim(const Args& args, const SplitPlan& plan, std::int64_t head_dim, cudaStream_t stream) {
  if (head_dim == 64)
    launch<T, 64>(args, plan, stream);
  else
    launch<T, 128>(args, plan, stream);
}

/// All rows of a KV head walk the same keys.
Packing packing_of(const Shape& shape) { return Packing(shape.group(), 1, shape.group() * shape.q_len); }

}  // namespace

SplitPlan split_plan(const Shape& shape, const Window& window) {
  const Packing packing = packing_of(shape);
  return plan_splits(packing.tiles(shape.batch * shape.q_heads), packing.tile_rows(), most_keys(shape, window),
                     kBlockKeys);
}

void split(const AttentionInputs& in, const Window& window, const AttentionOutputs& out, void* workspace,
           cudaStream_t stream) {
  const Shape& shape = in.shape;
  const SplitPlan plan = split_plan(shape, window);
  Args args{};
  args.q = in.q;
  args.k = in.k;
  args.v = in.v;
  args.out = out;
  args.axis = {static_cast<int>(shape.q_len), static_cast<int>(shape.kv_len), shape.causal};
  args.packing = packing_of(shape);
  args.window = window;
  args.cache = Cache(in);
  args.heads_per_kv = static_cast<int>(shape.group());
  args.scale = in.scale;
  args.partials = partials_in(workspace, plan, shape.head_dim);
  if (shape.dtype == Dtype::bf16)
    launch_head_dim<bf16>(args, plan, shape.head_dim, stream);
  else
    launch_head_dim<f16>(args, plan, shape.head_dim, stream);
}

}  // namespace attnscope::attend
