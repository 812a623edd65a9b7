// SPDX-License-Identifier: Apache-2.0
// Forward attention of decode rows over lists of tokens or pages whose lengths differ by orders of magnitude and are
// known to the device alone. The steps of all lists are laid end to end and cut into one equal share per warp
// (stream-K), so a long list takes many warps and a warp many short lists; rows cut by a share's border are merged.
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
constexpr int kBlocksPerSm = 2;
struct Args {
  const void* __restrict__ q;
  const void* __restrict__ k;
  const void* __restrict__ v;
  AttentionOutputs out;
  Axis axis;
  Packing packing;
  Cache cache;
  const std::int64_t* __restrict__ list_begin;
  const std::int32_t* __restrict__ list_count;
  const std::int32_t* __restrict__ list_indices;
  const float* __restrict__ log_weight;  // null: none
  int page;
  int heads_per_kv;
  float scale;
  int tiles;
  int workers;
  int2* __restrict__ tile_workers;  // [tiles]: the first and the last worker of a tile
  Partials partials;                // two slots per worker
};

// The work of a tile is its units: one for fetching Q and writing O, which takes about as long as a step, then one per
// step of 16 keys. The units of all tiles lie end to end; worker w owns [w, w + 1) · share of them.

__device__ std::int64_t tile_units(const Args& args, int tile) {
  const std::int64_t keys = std::int64_t{args.list_count[tile / args.packing.group_tiles]} * args.page;
  return 1 + (keys + kStepKeys - 1) / kStepKeys;
}

/// A run of units.
struct Units {
  std::int64_t begin;
  std::int64_t end;
};

/// A tile and where its units lie.
struct TileUnits {
  int tile;
  Units units;

  __device__ TileUnits next(const Args& args) const {
    return {tile + 1, {units.end, units.end + tile_units(args, tile + 1)}};
  }
};

/// What the workers of this block own.
struct Shares {
  std::int64_t share;
  std::int64_t total;

  __device__ std::int64_t worker(int warp) const { return std::int64_t{blockIdx.x} * kWarps + warp; }
  __device__ Units units(int warp) const { return {worker(warp) * share, min((worker(warp) + 1) * share, total)}; }
};

/// Also finds the tile that each worker of the block begins in, if it owns anything. Every block adds up the units of
/// all tiles itself: the counts are few and in the L2, and a kernel that did it for all would take longer to start.
__device__ Shares share_out(const Args& args, TileUnits (&first_tiles)[kWarps]) {
  __shared__ std::int64_t of_warp[kWarps];
  const int lane = threadIdx.x % 32;
  const int per_thread = (args.tiles + kThreads - 1) / kThreads;
  const int first = min(static_cast<int>(threadIdx.x) * per_thread, args.tiles);
  const int last = min(first + per_thread, args.tiles);
  std::int64_t own = 0;
  for (int tile = first; tile < last; ++tile) own += tile_units(args, tile);

  std::int64_t through = own;  // a running sum over the warp, then over the block
#pragma unroll
  for (int offset = 1; offset < 32; offset *= 2) {
    const std::int64_t below = __shfl_up_sync(kWarpMask, through, offset);
    if (lane >= offset) through += below;
  }
  if (lane == 31) of_warp[threadIdx.x / 32] = through;
  __syncthreads();
  std::int64_t before = through - own;
  std::int64_t total = 0;
#pragma unroll
  for (int warp = 0; warp < kWarps; ++warp) {
    if (warp < static_cast<int>(threadIdx.x) / 32) before += of_warp[warp];
    total += of_warp[warp];
  }

  // At least two steps, which a worker has under way at once: one alone would take as long.
  const Shares shares{max((total + args.workers - 1) / args.workers, std::int64_t{kStages - 1}), total};
  for (int warp = 0; warp < kWarps; ++warp) {
    const std::int64_t unit = shares.units(warp).begin;
    if (unit < before || unit >= before + own) continue;
    TileUnits at{first, {before, before + tile_units(args, first)}};
    while (at.units.end <= unit) at = at.next(args);
    first_tiles[warp] = at;
  }
  __syncthreads();
  return shares;
}

/// The steps of one tile that lie in a worker's units: [begin, end), none when end ≤ begin.
struct Steps {
  int begin;
  int end;

  __device__ Steps(const TileUnits& tile, const Units& worker)
      : begin(static_cast<int>(max(worker.begin - tile.units.begin - 1, std::int64_t{0}))),
        end(static_cast<int>(min(worker.end, tile.units.end) - tile.units.begin - 1)) {}
};

/// Walks the keys of a worker's steps, tile after tile, one step at a time.
class KeyWalk {
 public:
  /// What a lane knows of key n = lane % 16 of a step.
  struct Key {
    int key = kNoKey;
    float log_weight = 0.0f;
    KvRows rows;
  };

  __device__ KeyWalk(const Args& args, const Units& worker, const TileUnits& first_tile)
      : args_(args), worker_(worker), tile_(first_tile), steps_(first_tile, worker) {
    enter();
  }

  /// The next step's keys; none after the last.
  __device__ Key next(int lane) {
    while (steps_.begin >= steps_.end) {
      if (tile_.units.end >= worker_.end) return {};
      tile_ = tile_.next(args_);
      steps_ = Steps(tile_, worker_);
      enter();
    }
    Key at;
    at.rows = rows_;
    const int n = steps_.begin++ * kStepKeys + lane % kStepKeys;
    if (n < list_.length) {
      at.key = list_.key(n);
      if (args_.log_weight) at.log_weight = args_.log_weight[first_entry_ + n];
    }
    return at;
  }

 private:
  __device__ void enter() {
    const int list = tile_.tile / args_.packing.group_tiles;
    first_entry_ = args_.list_begin[list];
    list_ = key_runs(args_.list_indices + first_entry_, args_.list_count[list], args_.page);
    rows_ = args_.cache.rows(TileRows(args_.packing, tile_.tile).head0 / args_.heads_per_kv);
  }

  const Args& args_;
  const Units worker_;
  TileUnits tile_;
  Steps steps_;  // of tile_, less those walked
  std::int64_t first_entry_ = 0;
  KeyRuns list_{};
  KvRows rows_;
};

/// Where worker w leaves its part of a tile that reaches beyond its units: it may end one such tile and begin another.
__device__ std::int64_t partial_slot(std::int64_t worker, bool begins_tile) {
  return 2 * worker + (begins_tile ? 1 : 0);
}

/// The parts of a tile that `workers` share, first to last. The four of a block strictly between the blocks of the
/// first and the last worker make one part, left by the first of the four.
struct TileParts {
  int2 workers;
  int head;    // parts of the first worker's block
  int middle;  // blocks in between
  int count;

  __device__ explicit TileParts(int2 range) : workers(range) {
    const int blocks = range.y / kWarps - range.x / kWarps;
    head = blocks == 0 ? range.y - range.x + 1 : kWarps - range.x % kWarps;
    middle = max(blocks - 1, 0);
    count = head + middle + (blocks == 0 ? 0 : range.y % kWarps + 1);
  }
  __device__ std::int64_t slot(int part) const {
    if (part < head) return partial_slot(workers.x + part, part == 0);
    const int after = part - head;
    const int block = workers.x / kWarps + 1 + min(after, middle);
    return partial_slot(block * kWarps + max(after - middle, 0), false);
  }
};

// A warp owns one share of the units: whole tiles of ≤ 16 query rows under one list, and parts of the two at its
// borders. Copies run ahead of the arithmetic across the borders of tiles. Warps don't wait for one another, but where
// a long list takes the whole block, whose four parts then become one.
// Reads every list's count once per block, Q once per part, each listed K and V row once per tile; writes O and LSE of
// whole tiles, fp32 partials of parts.
// Shared memory: per warp three stages of 16 K rows and 16 V rows (cp.async), their keys and log weights. Two stages in
// flight on eight warps are 64–128 KB per SM.
// Shapes: lists of any length, pages of any size; contiguous and paged caches; kv_len < 2^30.
// Floor: 4·d + 4 bytes per listed key and list. Measured on an H200 that reads 4.38 TB/s, 32 / 8 heads, d = 128, bf16,
// tokens all over the context, K and V not in the L2, merge included. Batch 64, a list per query head out of 32k
// tokens, lengths lognormal around 256 (σ = 1, the longest 9225): 139 µs, 0.76 of the read rate; 154 µs from scattered
// pages of 16; around 1024 (σ = 2): 0.94. One sequence of 4M, 32 lists of 32k: 0.81; 8 lists of 128k: 0.80. Short
// lists: 13 to 14 µs. Cutting every list into as many parts, for want of its length, took 240 µs in the first case;
// where all lists are equally long it takes 7 to 28 % less time than this.
template <typename T, int kHeadDim>
__global__ __launch_bounds__(kThreads, kBlocksPerSm) void lists_kernel(const __grid_constant__ Args args) {
  using Stages = WarpStages<T, kHeadDim>;
  __shared__ TileUnits first_tiles[kWarps];
  const Shares shares = share_out(args, first_tiles);
  const int lane = threadIdx.x % 32;
  const int warp = threadIdx.x / 32;
  const std::int64_t worker = shares.worker(warp);
  const Units units = shares.units(warp);
  if (units.begin >= units.end) return;
  const TileUnits first_tile = first_tiles[warp];

  extern __shared__ __align__(1024) unsigned char shared[];
  __shared__ int shared_keys[kWarps][kStages][kStepKeys];
  __shared__ float shared_bias[kWarps][kStages][kStepKeys];
  const Stages stages{shared_address(shared) + warp * Stages::kBytes};
  const float weight_factor = 1.0f / args.scale;  // scores are scaled with their weights, at the exponential

  // The list is read two steps before its keys are copied and the page table one step before.
  KeyWalk walk(args, units, first_tile);
  KeyWalk::Key next;
  std::int64_t next_row;
  KeyWalk::Key later = walk.next(lane);
  const auto look_up = [&] {
    next = later;
    next_row = next.key < args.axis.kv_len ? next.rows.row(next.key) : -1;
    later = walk.next(lane);
  };
  look_up();
  const auto load_step = [&](int stage) {
    if (lane < kStepKeys) {
      shared_keys[warp][stage][lane] = next.key;
      shared_bias[warp][stage][lane] = next.log_weight * weight_factor;
    }
    stages.copy(stage, args.k, args.v, next_row);
    look_up();
  };
#pragma unroll
  for (int stage = 0; stage < kStages - 1; ++stage) {
    load_step(stage);
    copy_commit();
  }

  const float scale_log2 = args.scale * std::numbers::log2e_v<float>;
  WarpTile<T, kHeadDim> state;
  int stage = 0;
  for (TileUnits tile = first_tile;; tile = tile.next(args)) {
    const TileRows rows(args.packing, tile.tile);
    state.load(args.q, rows.count, [&](int local) { return rows.row(args.packing, args.axis, local); });
    RowMask masks[2];
    state.for_rows(rows.count,
                   [&](int local, int half) { masks[half] = RowMask(args.axis, rows.query(args.packing, local)); });

    const Steps steps(tile, units);
    for (int step = steps.begin; step < steps.end; ++step) {
      copy_wait<kStages - 2>();
      __syncwarp();  // this step has landed, and every lane is done with the stage refilled next
      load_step(stage == 0 ? kStages - 1 : stage - 1);
      copy_commit();
      state.attend(stages, stage, scale_log2, [&](int half, int n, float score) {
        return masks[half].attends(shared_keys[warp][stage][n]) ? score + shared_bias[warp][stage][n] : -INFINITY;
      });
      stage = stage == kStages - 1 ? 0 : stage + 1;
    }

    state.finish_sums();
    const bool begins = tile.units.begin >= units.begin;
    const bool ends = tile.units.end <= units.end;
    if (begins && lane == 0)
      args.tile_workers[tile.tile] = {static_cast<int>(worker),
                                      static_cast<int>(ends ? worker : (tile.units.end - 1) / shares.share)};
    if (begins && ends) {
      state.for_rows(rows.count, [&](int local, int half) {
        const std::int64_t row = rows.row(args.packing, args.axis, local);
        const float factor = state.sum[half] > 0.0f ? 1.0f / state.sum[half] : 0.0f;
        state.for_channels(half, [&](int channel, float2 pair) {
          store_pair<T>(args.out, row * kHeadDim + channel, {pair.x * factor, pair.y * factor});
        });
        if (lane % 4 == 0) args.out.lse[row] = log_sum(state.maximum[half] * args.scale, state.sum[half]);
      });
    } else if (tile.units.begin < shares.units(0).begin && tile.units.end > shares.units(kWarps - 1).end) {
      copy_wait<0>();
      WarpMerge<kWarps, T, kHeadDim>::run(
          state, rows.count, args.scale, shared, [&](int local, int channel, float value, float maximum, float sum) {
            const std::int64_t row = args.partials.row(partial_slot(shares.worker(0), false), 0, local);
            args.partials.o[row * kHeadDim + channel] = value;
            if (channel == 0) args.partials.state[row] = {maximum, sum};
          });
    } else {
      state.for_rows(rows.count, [&](int local, int half) {
        const std::int64_t row = args.partials.row(partial_slot(worker, begins), 0, local);
        state.for_channels(half, [&](int channel, float2 pair) {
          *reinterpret_cast<float2*>(args.partials.o + row * kHeadDim + channel) = pair;
        });
        if (lane % 4 == 0) args.partials.state[row] = {state.maximum[half] * args.scale, state.sum[half]};
      });
    }
    if (tile.units.end >= units.end) break;
  }
  copy_wait<0>();
}

// A block owns one query row of one tile; tiles that one worker did whole are done. Reads each partial once.
template <typename T, int kHeadDim>
__global__ __launch_bounds__(kMergeThreads) void merge_kernel(const __grid_constant__ Args args) {
  const int2 workers = args.tile_workers[blockIdx.x];
  if (workers.x == workers.y) return;
  const TileRows rows(args.packing, static_cast<int>(blockIdx.x));
  const int local = static_cast<int>(blockIdx.y);
  if (local >= rows.count) return;
  const TileParts parts(workers);
  merge_row<T, kHeadDim>(
      args.partials, parts.count, [&](int part) { return args.partials.row(parts.slot(part), 0, local); }, args.out,
      rows.row(args.packing, args.axis, local));
}

template <typename T, int kHeadDim>
void launch(const Args& args, cudaStream_t stream) {
  constexpr int kSharedBytes =
      std::max(kWarps * WarpStages<T, kHeadDim>::kBytes, WarpMerge<kWarps, T, kHeadDim>::kBytes);
  const auto kernel = lists_kernel<T, kHeadDim>;
  cuda_check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, kSharedBytes),
             "attend::cuda lists: shared memory");
  kernel<<<static_cast<unsigned>(args.workers / kWarps), kThreads, kSharedBytes, stream>>>(args);
  cuda_check(cudaGetLastError(), "attend::cuda lists");
  const dim3 merge_grid(static_cast<unsigned>(args.tiles), static_cast<unsigned>(args.packing.tile_rows()));
  merge_kernel<T, kHeadDim><<<merge_grid, kMergeThreads, 0, stream>>>(args);
  cuda_check(cudaGetLastError(), "attend::cuda lists: merge");
}

template <typename T>
void launch_head_dim(const Args& args, std::int64_t head_dim, cudaStream_t stream) {
  if (head_dim == 64)
    launch<T, 64>(args, stream);
  else
    launch<T, 128>(args, stream);
}

/// The heads under a list walk the same keys.
Packing packing_of(const Shape& shape, const TokenList& list) {
  const std::int64_t share = shape.q_heads / list.heads;
  return Packing(share, shape.q_len, share);
}

/// As many as run at once. A list on all of them has a part per block and a few more at its ends.
int worker_count() { return std::min(kBlocksPerSm * sm_count(), kMostParts - 2 * kWarps) * kWarps; }

/// Rows of partial results.
std::int64_t partial_rows(const Shape& shape, const TokenList& list) {
  return 2 * std::int64_t{worker_count()} * packing_of(shape, list).tile_rows();
}

}  // namespace

std::size_t lists_workspace(const Shape& shape, const TokenList& list) {
  const auto row_bytes = static_cast<std::size_t>(shape.head_dim) * sizeof(float) + sizeof(float2);
  const std::int64_t tiles = packing_of(shape, list).tiles(shape.batch * shape.q_heads);
  return static_cast<std::size_t>(partial_rows(shape, list)) * row_bytes +
         static_cast<std::size_t>(tiles) * sizeof(int2);
}

void lists(const AttentionInputs& in, const TokenList& list, const AttentionOutputs& out, void* workspace,
           cudaStream_t stream) {
  const Shape& shape = in.shape;
  Args args{};
  args.q = in.q;
  args.k = in.k;
  args.v = in.v;
  args.out = out;
  args.axis = {static_cast<int>(shape.q_len), static_cast<int>(shape.kv_len), shape.causal};
  args.packing = packing_of(shape, list);
  args.cache = Cache(in);
  args.list_begin = list.begin.data();
  args.list_count = list.count.data();
  args.list_indices = list.indices.data();
  args.log_weight = list.log_weight.empty() ? nullptr : list.log_weight.data();
  args.page = static_cast<int>(list.page);
  args.heads_per_kv = static_cast<int>(shape.group());
  args.scale = in.scale;
  args.tiles = static_cast<int>(args.packing.tiles(shape.batch * shape.q_heads));
  args.workers = worker_count();
  const std::int64_t rows = partial_rows(shape, list);
  args.partials.o = static_cast<float*>(workspace);
  args.partials.state = reinterpret_cast<float2*>(args.partials.o + rows * shape.head_dim);
  args.partials.tile_rows = args.packing.tile_rows();
  args.tile_workers = reinterpret_cast<int2*>(args.partials.state + rows);
  if (shape.dtype == Dtype::bf16)
    launch_head_dim<bf16>(args, shape.head_dim, stream);
  else
    launch_head_dim<f16>(args, shape.head_dim, stream);
}

}  // namespace attnscope::attend
