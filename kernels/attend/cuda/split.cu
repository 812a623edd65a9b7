// SPDX-License-Identifier: Apache-2.0
// Forward attention of few query rows per KV head (decode): the keys are split over CTAs, partial results merged
// (Flash-Decoding). Dense, Band and TokenList share one kernel and differ in the sequence of keys.
#include <algorithm>
#include <numbers>

#include "harness/base/error.hpp"
#include "harness/device/cuda_check.hpp"
#include "kernels/attend/cuda/launch.hpp"
#include "kernels/attend/cuda/merge.cuh"
#include "kernels/attend/cuda/mma.cuh"
#include "kernels/attend/cuda/plan.hpp"

namespace attnscope::attend {
namespace {

using namespace device;

constexpr int kWarps = 4;
constexpr int kThreads = kWarps * 32;
constexpr int kStages = 3;
constexpr int kStepKeys = 16;  // keys that a warp takes at once
constexpr int kTileRows = 16;
constexpr int kBlockKeys = kWarps * kStepKeys;

/// Rows that share a key sequence are packed into tiles of 16: row m of group g is query i0 + m / share of head
/// h0 + m % share, with h0 = (g / span) · share and i0 = g % span.
struct Packing {
  int share = 1;       // query heads under one sequence
  int span = 1;        // sequences per head
  int group_rows = 1;  // rows under one sequence
  int group_tiles = 1;
};

struct Args {
  const void* __restrict__ q;
  const void* __restrict__ k;
  const void* __restrict__ v;
  void* __restrict__ o;
  float* __restrict__ lse;
  Axis axis;
  Packing packing;
  Window window;
  const std::int64_t* __restrict__ list_begin;
  const std::int32_t* __restrict__ list_count;
  const std::int32_t* __restrict__ list_indices;
  int page;
  int heads_per_kv;
  float scale;
  Partials partials;
};

/// Where a tile's rows lie.
struct TileRows {
  std::int64_t head0;
  int query0;
  int first;  // packed number of the tile's first row
  int count;

  __device__ TileRows(const Packing& packing, std::int64_t tile) {
    const std::int64_t group = tile / packing.group_tiles;
    head0 = group / packing.span * packing.share;
    query0 = static_cast<int>(group % packing.span);
    first = static_cast<int>(tile % packing.group_tiles) * kTileRows;
    count = min(kTileRows, packing.group_rows - first);
  }
  __device__ int query(const Packing& packing, int local) const { return query0 + (first + local) / packing.share; }
  /// Row of q, o and lse, counted over batch, head and query.
  __device__ std::int64_t row(const Args& args, int local) const {
    return (head0 + (first + local) % args.packing.share) * args.axis.q_len + query(args.packing, local);
  }
};

template <bool kListed>
__device__ auto key_sequence(const Args& args, const TileRows& rows, std::int64_t tile) {
  if constexpr (kListed) {
    const std::int64_t list = tile / args.packing.group_tiles;
    return key_runs(args.list_indices + args.list_begin[list], args.list_count[list], args.page);
  } else {
    return KeyRanges(args.axis, args.window, rows.query(args.packing, 0), rows.query(args.packing, rows.count - 1), 1);
  }
}

template <typename T>
__device__ void store(T* target, float value) {
  if constexpr (std::is_same_v<T, bf16>)
    *target = __float2bfloat16_rn(value);
  else
    *target = __float2half_rn(value);
}

// A block owns one split of the keys of one tile of ≤ 16 query rows under one KV head; a warp every fourth run of 16
// of those keys, with its own softmax state and O; a thread two rows in the m16n8 accumulator layout.
// Reads Q once per split and each key's K and V rows once per tile; writes O and LSE, or a partial of each in fp32.
// Shared memory: per warp three stages of 16 K rows and 16 V rows (cp.async), with their key numbers; the O of the
// four warps at the end. Two stages in flight on eight warps are 64–128 KB per SM.
// Shapes: any rows, kv_len < 2^30, lists of any length (read on the device), pages of any size.
// Floor: 4·d bytes per key and KV head. Measured on an H200, one sequence of a million tokens, 32 / 8 heads, d = 128,
// bf16: 0.99 of the HBM read rate; lists of 32k tokens per query head out of 4M: 0.85.
template <typename T, int kHeadDim, bool kListed>
__global__ __launch_bounds__(kThreads, 2) void split_kernel(const __grid_constant__ Args args) {
  constexpr int kRowBytes = kHeadDim * 2;
  constexpr int kChunks = kRowBytes / 16;
  constexpr int kRowsPerCopy = 32 / kChunks;
  constexpr int kStepBytes = kStepKeys * kRowBytes;
  constexpr int kSteps = kHeadDim / 16;
  constexpr int kOutTiles = kHeadDim / 8;

  const int lane = threadIdx.x % 32;
  const int warp = threadIdx.x / 32;
  const std::int64_t tile = blockIdx.x;
  const int split = blockIdx.y;
  const TileRows rows(args.packing, tile);
  const auto sequence = key_sequence<kListed>(args, rows, tile);

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
  __shared__ float2 shared_state[kWarps][kTileRows];
  const std::uint32_t stages = shared_address(shared) + warp * kStages * 2 * kStepBytes;
  const int copy_row = lane / kChunks;
  const int copy_chunk = lane % kChunks;
  const std::int64_t kv_offset = rows.head0 / args.heads_per_kv * args.axis.kv_len * kHeadDim + copy_chunk * 8;
  const auto* k = static_cast<const T*>(args.k) + kv_offset;
  const auto* v = static_cast<const T*>(args.v) + kv_offset;

  // Lane n % 16 looks up key n of a step two steps before it is copied, so that the list's latency is hidden.
  const auto look_up = [&](int step) {
    const int n = begin + (step * kWarps + warp) * kStepKeys + lane % kStepKeys;
    return n < end ? sequence.key(n) : kNoKey;
  };
  int next_key = look_up(0);
  int later_key = look_up(1);
  const auto load_step = [&](int step) {
    const int stage = step % kStages;
    if (lane < kStepKeys) shared_keys[warp][stage][lane] = next_key;
    const std::uint32_t target = stages + stage * 2 * kStepBytes;
#pragma unroll
    for (int i = 0; i < kStepKeys / kRowsPerCopy; ++i) {
      const int row = copy_row + i * kRowsPerCopy;
      const int key = __shfl_sync(kWarpMask, next_key, row);
      const bool valid = key < args.axis.kv_len;
      const std::int64_t offset = valid ? std::int64_t{key} * kHeadDim : 0;
      copy_async(target + swizzled<kRowBytes>(row, copy_chunk), k + offset, valid);
      copy_async(target + kStepBytes + swizzled<kRowBytes>(row, copy_chunk), v + offset, valid);
    }
    next_key = later_key;
    later_key = look_up(step + 2);
  };

  const int step_count = (end - begin + kBlockKeys - 1) / kBlockKeys;
#pragma unroll
  for (int step = 0; step < kStages - 1; ++step) {
    if (step < step_count) load_step(step);
    copy_commit();
  }

  // Q stays in registers as A fragments; rows past the tile are zero.
  std::uint32_t q[kSteps][4] = {};
  RowMask masks[2];
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int local = half * 8 + lane / 4;
    if (local >= rows.count) continue;
    const int i = rows.query(args.packing, local);
    masks[half] = kListed ? RowMask(args.axis, i) : RowMask(args.axis, args.window, i);
    const auto* source =
        reinterpret_cast<const std::uint32_t*>(static_cast<const T*>(args.q) + rows.row(args, local) * kHeadDim);
#pragma unroll
    for (int step = 0; step < kSteps; ++step) {
      q[step][half] = source[step * 8 + lane % 4];
      q[step][half + 2] = source[step * 8 + lane % 4 + 4];
    }
  }

  const float scale_log2 = args.scale * std::numbers::log2e_v<float>;
  float out[kOutTiles][4] = {};
  float row_max[2] = {-INFINITY, -INFINITY};
  float row_sum[2] = {0.0f, 0.0f};
  const int lane_row8 = lane & 7;
  const std::uint32_t k_lane = (lane_row8 + (lane >> 4) * 8) * kRowBytes + ((((lane >> 3) & 1) ^ lane_row8) << 4);
  const std::uint32_t v_lane = (lane & 15) * kRowBytes + (((lane >> 4) ^ lane_row8) << 4);

  for (int step = 0; step < step_count; ++step) {
    copy_wait<kStages - 2>();
    __syncwarp();  // this step has landed, and every lane is done with the stage refilled next
    if (step + kStages - 1 < step_count) load_step(step + kStages - 1);
    copy_commit();

    const int stage = step % kStages;
    const std::uint32_t k_tile = stages + stage * 2 * kStepBytes + k_lane;
    const std::uint32_t v_tile = stages + stage * 2 * kStepBytes + kStepBytes + v_lane;
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
      for (int e = 0; e < 4; ++e)
        if (!masks[e / 2].attends(shared_keys[warp][stage][n * 8 + lane % 4 * 2 + e % 2])) score[n][e] = -INFINITY;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float best = row_max[half];
#pragma unroll
      for (int n = 0; n < 2; ++n) best = fmaxf(best, fmaxf(score[n][half * 2], score[n][half * 2 + 1]));
      best = fmaxf(best, __shfl_xor_sync(kWarpMask, best, 1));
      best = fmaxf(best, __shfl_xor_sync(kWarpMask, best, 2));
      moved |= best != row_max[half];
      shift[half] = best == -INFINITY ? 0.0f : best * scale_log2;
      rescale[half] = exp2_fast(row_max[half] * scale_log2 - shift[half]);
      row_max[half] = best;
    }
    if (__any_sync(kWarpMask, moved)) {
      row_sum[0] *= rescale[0];
      row_sum[1] *= rescale[1];
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
        row_sum[e / 2] += score[n][e];
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

  // Merge the four warps through shared memory.
  copy_wait<0>();
  __syncthreads();
  auto* shared_out = reinterpret_cast<float*>(shared);  // [kWarps][kTileRows][kHeadDim]
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int local = half * 8 + lane / 4;
    row_sum[half] += __shfl_xor_sync(kWarpMask, row_sum[half], 1);
    row_sum[half] += __shfl_xor_sync(kWarpMask, row_sum[half], 2);
    if (local >= rows.count) continue;
    if (lane % 4 == 0) shared_state[warp][local] = {row_max[half] * args.scale, row_sum[half]};
#pragma unroll
    for (int n = 0; n < kOutTiles; ++n)
      *reinterpret_cast<float2*>(shared_out + (warp * kTileRows + local) * kHeadDim + n * 8 + lane % 4 * 2) = {
          out[n][half * 2], out[n][half * 2 + 1]};
  }
  __syncthreads();
  for (int e = threadIdx.x; e < rows.count * kHeadDim; e += kThreads) {
    const int local = e / kHeadDim;
    const int channel = e % kHeadDim;
    float maximum = -INFINITY;
#pragma unroll
    for (int w = 0; w < kWarps; ++w) maximum = fmaxf(maximum, shared_state[w][local].x);
    float sum = 0.0f;
    float value = 0.0f;
#pragma unroll
    for (int w = 0; w < kWarps; ++w) {
      const float weight = rescale_factor(shared_state[w][local].x, maximum);
      sum += shared_state[w][local].y * weight;
      value += shared_out[(w * kTileRows + local) * kHeadDim + channel] * weight;
    }
    if (args.partials.splits > 1) {
      const std::int64_t row = args.partials.row(tile, split, local);
      args.partials.o[row * kHeadDim + channel] = value;
      if (channel == 0) args.partials.state[row] = {maximum, sum};
    } else {
      const std::int64_t row = rows.row(args, local);
      store(static_cast<T*>(args.o) + row * kHeadDim + channel, sum > 0.0f ? value / sum : 0.0f);
      if (channel == 0) args.lse[row] = sum > 0.0f ? maximum + logf(sum) : -INFINITY;
    }
  }
}

// A block owns one query row of one tile. Reads each partial once.
template <typename T, int kHeadDim>
__global__ __launch_bounds__(kMergeThreads) void merge_kernel(const __grid_constant__ Args args) {
  const std::int64_t tile = blockIdx.x;
  const TileRows rows(args.packing, tile);
  const int local = static_cast<int>(blockIdx.y);
  if (local >= rows.count) return;
  float value;
  float lse;
  merge_row<kHeadDim>(args.partials, tile, local, value, lse);
  const std::int64_t row = rows.row(args, local);
  if (threadIdx.x < kHeadDim) store(static_cast<T*>(args.o) + row * kHeadDim + threadIdx.x, value);
  if (threadIdx.x == 0) args.lse[row] = lse;
}

template <typename T, int kHeadDim, bool kListed>
void launch(const Args& args, const SplitPlan& plan, cudaStream_t stream) {
  constexpr int kPipelineBytes = kWarps * kStages * 2 * kStepKeys * kHeadDim * 2;
  constexpr int kMergeBytes = kWarps * kTileRows * kHeadDim * 4;
  constexpr int kSharedBytes = std::max(kPipelineBytes, kMergeBytes);
  const auto kernel = split_kernel<T, kHeadDim, kListed>;
  cuda_check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, kSharedBytes),
             "attend::cuda split: shared memory");
  const auto tiles = static_cast<unsigned>(plan.tiles);
  kernel<<<dim3(tiles, static_cast<unsigned>(plan.splits)), kThreads, kSharedBytes, stream>>>(args);
  cuda_check(cudaGetLastError(), "attend::cuda split");
  if (plan.splits == 1) return;
  const int rows = std::min(kTileRows, args.packing.group_rows);
  merge_kernel<T, kHeadDim><<<dim3(tiles, static_cast<unsigned>(rows)), kMergeThreads, 0, stream>>>(args);
  cuda_check(cudaGetLastError(), "attend::cuda merge");
}

template <typename T, int kHeadDim>
void launch_form(const Args& args, const SplitPlan& plan, bool listed, cudaStream_t stream) {
  if (listed)
    launch<T, kHeadDim, true>(args, plan, stream);
  else
    launch<T, kHeadDim, false>(args, plan, stream);
}

template <typename T>
void launch_head_dim(const Args& args, const SplitPlan& plan, std::int64_t head_dim, bool listed, cudaStream_t stream) {
  if (head_dim == 64)
    launch_form<T, 64>(args, plan, listed, stream);
  else
    launch_form<T, 128>(args, plan, listed, stream);
}

Packing packing_of(const Shape& shape, const KeySource& keys) {
  Packing packing;
  if (const auto* list = std::get_if<TokenList>(&keys)) {
    packing.share = static_cast<int>(shape.q_heads / list->heads);
    packing.span = static_cast<int>(shape.q_len);
    packing.group_rows = packing.share;
  } else {
    packing.share = static_cast<int>(shape.group());
    packing.group_rows = static_cast<int>(shape.group() * shape.q_len);
  }
  packing.group_tiles = (packing.group_rows + kTileRows - 1) / kTileRows;
  return packing;
}

}  // namespace

SplitPlan split_plan(const Shape& shape, const KeySource& keys) {
  const Packing packing = packing_of(shape, keys);
  const std::int64_t groups = shape.batch * shape.q_heads / packing.share * packing.span;
  return plan_splits(groups * packing.group_tiles, std::min<std::int64_t>(kTileRows, packing.group_rows),
                     most_keys(shape, keys), kBlockKeys);
}

void split(const AttentionInputs& in, const KeySource& keys, const AttentionOutputs& out, void* workspace,
           cudaStream_t stream) {
  const Shape& shape = in.shape;
  const SplitPlan plan = split_plan(shape, keys);
  Args args{};
  args.q = in.q;
  args.k = in.k;
  args.v = in.v;
  args.o = out.o;
  args.lse = out.lse;
  args.axis = {static_cast<int>(shape.q_len), static_cast<int>(shape.kv_len), shape.causal};
  args.packing = packing_of(shape, keys);
  args.heads_per_kv = static_cast<int>(shape.group());
  args.scale = in.scale;
  args.partials = partials_in(workspace, plan, shape.head_dim);
  const auto* list = std::get_if<TokenList>(&keys);
  if (list) {
    args.list_begin = list->begin.data();
    args.list_count = list->count.data();
    args.list_indices = list->indices.data();
    args.page = static_cast<int>(list->page);
  } else {
    args.window = std::get<Window>(keys);
  }
  if (shape.dtype == Dtype::bf16)
    launch_head_dim<bf16>(args, plan, shape.head_dim, list != nullptr, stream);
  else
    launch_head_dim<f16>(args, plan, shape.head_dim, list != nullptr, stream);
}

}  // namespace attnscope::attend
