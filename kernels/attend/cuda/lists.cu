// SPDX-License-Identifier: Apache-2.0
// Forward attention of decode rows over lists of tokens or pages whose lengths differ by orders of magnitude and are
// known to the device alone. The steps of all lists are laid end to end and cut into one equal share per warp
// (stream-K), so a long list takes many warps and a warp many short lists; rows cut by a share's border are merged.
#include <algorithm>
#include <cub/block/block_scan.cuh>
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
constexpr int kScanThreads = 512;
constexpr int kScanItems = 4;  // tiles per thread

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
  std::int64_t* first_unit;  // [tiles + 1]
  Partials partials;         // two slots per worker
};

// The work of tile t is units first_unit[t] .. first_unit[t + 1]: one for fetching Q and writing O, which takes about
// as long as a step, then one per step of 16 keys. Worker w owns units [w, w + 1) · share.

// One block. Reads every list's count, writes the running sum of the tiles' units.
__global__ __launch_bounds__(kScanThreads) void share_out_kernel(const __grid_constant__ Args args) {
  using Scan = cub::BlockScan<std::int64_t, kScanThreads>;
  __shared__ Scan::TempStorage storage;
  std::int64_t before = 0;
  for (int first = 0; first < args.tiles; first += kScanThreads * kScanItems) {
    const int tile0 = first + static_cast<int>(threadIdx.x) * kScanItems;
    std::int64_t units[kScanItems];
#pragma unroll
    for (int i = 0; i < kScanItems; ++i) {
      units[i] = 0;
      if (tile0 + i >= args.tiles) continue;
      const std::int64_t keys = std::int64_t{args.list_count[(tile0 + i) / args.packing.group_tiles]} * args.page;
      units[i] = 1 + (keys + kStepKeys - 1) / kStepKeys;
    }
    std::int64_t total;
    Scan(storage).ExclusiveSum(units, units, total);
    __syncthreads();  // the storage is used again
#pragma unroll
    for (int i = 0; i < kScanItems; ++i)
      if (tile0 + i < args.tiles) args.first_unit[tile0 + i] = before + units[i];
    before += total;
  }
  if (threadIdx.x == 0) args.first_unit[args.tiles] = before;
}

/// Units per worker. At least two steps, which a worker has under way at once: one alone would take as long.
__device__ std::int64_t worker_share(const Args& args) {
  const std::int64_t share = (args.first_unit[args.tiles] + args.workers - 1) / args.workers;
  return share < kStages - 1 ? kStages - 1 : share;
}

/// A run of units.
struct Units {
  std::int64_t begin;
  std::int64_t end;
};

/// The steps of one tile that lie in a worker's units.
struct TileSteps {
  Units tile;  // all of the tile's
  int begin;
  int end;  // ≤ begin: none

  __device__ TileSteps(const Args& args, const Units& worker, int t)
      : tile{args.first_unit[t], args.first_unit[t + 1]},
        begin(static_cast<int>(max(worker.begin - tile.begin - 1, std::int64_t{0}))),
        end(static_cast<int>(min(worker.end, tile.end) - tile.begin - 1)) {}
};

/// The tile that holds `unit`, by a warp: each round of 32 probes leaves a 32nd of the candidates.
__device__ int tile_of(const Args& args, std::int64_t unit, int lane) {
  int first = 0;
  int count = args.tiles;
  while (count > 1) {
    const int stride = (count + 31) / 32;
    const bool starts_before = lane * stride < count && args.first_unit[first + lane * stride] <= unit;
    const int hit = __popc(__ballot_sync(kWarpMask, starts_before)) - 1;
    first += hit * stride;
    count = min(stride, count - hit * stride);
  }
  return first;
}

/// Walks the keys of a worker's steps, tile after tile, one step at a time.
class KeyWalk {
 public:
  /// What a lane knows of key n = lane % 16 of a step.
  struct Key {
    int key = kNoKey;
    float log_weight = 0.0f;
    KvRows rows;
  };

  __device__ KeyWalk(const Args& args, const Units& worker, int first_tile)
      : args_(args), worker_(worker), tile_(first_tile), steps_(args, worker, first_tile) {
    enter();
  }

  /// The next step's keys; none after the last.
  __device__ Key next(int lane) {
    while (steps_.begin >= steps_.end) {
      if (steps_.tile.end >= worker_.end || tile_ + 1 == args_.tiles) return {};
      ++tile_;
      steps_ = TileSteps(args_, worker_, tile_);
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
    const int list = tile_ / args_.packing.group_tiles;
    first_entry_ = args_.list_begin[list];
    list_ = key_runs(args_.list_indices + first_entry_, args_.list_count[list], args_.page);
    rows_ = args_.cache.rows(static_cast<int>(TileRows(args_.packing, tile_).head0 / args_.heads_per_kv));
  }

  const Args& args_;
  const Units worker_;
  int tile_;
  TileSteps steps_;  // of tile_, less those walked
  std::int64_t first_entry_ = 0;
  KeyRuns list_{};
  KvRows rows_;
};

/// Where worker w leaves its share of a tile that reaches beyond its units: a worker ends one such tile and begins one.
__device__ std::int64_t partial_slot(std::int64_t worker, bool begins_tile) {
  return 2 * worker + (begins_tile ? 1 : 0);
}

// A warp owns one share of the units: whole tiles of ≤ 16 query rows under one list, and parts of the two at its
// borders. Copies run ahead of the arithmetic across the borders of tiles. Warps never wait for one another.
// Reads Q once per part, each listed K and V row once per tile; writes O and LSE of whole tiles, fp32 partials of
// parts. Shared memory: per warp three stages of 16 K rows and 16 V rows (cp.async), their keys and log weights. Two
// stages in flight on eight warps are 64–128 KB per SM. Shapes: lists of any length, pages of any size; contiguous and
// paged caches; kv_len < 2^30. Floor: 4·d + 4 bytes per listed key and list.
template <typename T, int kHeadDim>
__global__ __launch_bounds__(kThreads, kBlocksPerSm) void lists_kernel(const __grid_constant__ Args args) {
  using Stages = WarpStages<T, kHeadDim>;
  const int lane = threadIdx.x % 32;
  const int warp = threadIdx.x / 32;
  const std::int64_t worker = std::int64_t{warp} * gridDim.x + blockIdx.x;  // few workers spread over all SMs
  const std::int64_t share = worker_share(args);
  const Units units{worker * share, min((worker + 1) * share, args.first_unit[args.tiles])};
  if (units.begin >= units.end) return;

  extern __shared__ __align__(1024) unsigned char shared[];
  __shared__ int shared_keys[kWarps][kStages][kStepKeys];
  __shared__ float shared_bias[kWarps][kStages][kStepKeys];
  const Stages stages{shared_address(shared) + warp * Stages::kBytes};
  const int first_tile = tile_of(args, units.begin, lane);
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
  for (int tile = first_tile; tile < args.tiles; ++tile) {
    const TileSteps steps(args, units, tile);
    if (steps.tile.begin >= units.end) break;
    const TileRows rows(args.packing, tile);
    state.load(args.q, rows.count, [&](int local) { return rows.row(args.packing, args.axis, local); });
    RowMask masks[2];
    state.for_rows(rows.count,
                   [&](int local, int half) { masks[half] = RowMask(args.axis, rows.query(args.packing, local)); });

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
    const bool begins = steps.tile.begin >= units.begin;
    const bool whole = begins && steps.tile.end <= units.end;
    state.for_rows(rows.count, [&](int local, int half) {
      const float maximum = state.maximum[half] * args.scale;
      const float sum = state.sum[half];
      if (whole) {
        const std::int64_t row = rows.row(args.packing, args.axis, local);
        const float factor = sum > 0.0f ? 1.0f / sum : 0.0f;
        state.for_channels(half, [&](int channel, float2 pair) {
          store_pair<T>(args.out, row * kHeadDim + channel, {pair.x * factor, pair.y * factor});
        });
        if (lane % 4 == 0) args.out.lse[row] = log_sum(maximum, sum);
      } else {
        const std::int64_t row = args.partials.row(partial_slot(worker, begins), 0, local);
        state.for_channels(half, [&](int channel, float2 pair) {
          *reinterpret_cast<float2*>(args.partials.o + row * kHeadDim + channel) = pair;
        });
        if (lane % 4 == 0) args.partials.state[row] = {maximum, sum};
      }
    });
  }
  copy_wait<0>();
}

// A block owns one query row of one tile; tiles that one worker did whole are done. Reads each partial once.
template <typename T, int kHeadDim>
__global__ __launch_bounds__(kMergeThreads) void merge_kernel(const __grid_constant__ Args args) {
  const std::int64_t share = worker_share(args);
  const std::int64_t first = args.first_unit[blockIdx.x] / share;
  const std::int64_t last = (args.first_unit[blockIdx.x + 1] - 1) / share;
  if (first == last) return;
  const TileRows rows(args.packing, blockIdx.x);
  const int local = static_cast<int>(blockIdx.y);
  if (local >= rows.count) return;
  const auto part_row = [&](int part) { return args.partials.row(partial_slot(first + part, part == 0), 0, local); };
  merge_row<T, kHeadDim>(args.partials, static_cast<int>(last - first) + 1, part_row, args.out,
                         rows.row(args.packing, args.axis, local));
}

template <typename T, int kHeadDim>
void launch(const Args& args, cudaStream_t stream) {
  constexpr int kSharedBytes = kWarps * WarpStages<T, kHeadDim>::kBytes;
  const auto kernel = lists_kernel<T, kHeadDim>;
  cuda_check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, kSharedBytes),
             "attend::cuda lists: shared memory");
  share_out_kernel<<<1, kScanThreads, 0, stream>>>(args);
  cuda_check(cudaGetLastError(), "attend::cuda lists: shares");
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

/// Rows of partial results.
std::int64_t partial_rows(const Shape& shape, const TokenList& list) {
  return 2 * std::int64_t{kBlocksPerSm} * kWarps * sm_count() * packing_of(shape, list).tile_rows();
}

}  // namespace

std::size_t lists_workspace(const Shape& shape, const TokenList& list) {
  const auto row_bytes = static_cast<std::size_t>(shape.head_dim) * sizeof(float) + sizeof(float2);
  const std::int64_t tiles = packing_of(shape, list).tiles(shape.batch * shape.q_heads);
  return static_cast<std::size_t>(partial_rows(shape, list)) * row_bytes +
         static_cast<std::size_t>(tiles + 1) * sizeof(std::int64_t);
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
  args.log_weight = list.log_weight.data();
  args.page = static_cast<int>(list.page);
  args.heads_per_kv = static_cast<int>(shape.group());
  args.scale = in.scale;
  args.tiles = static_cast<int>(args.packing.tiles(shape.batch * shape.q_heads));
  args.workers = kBlocksPerSm * kWarps * sm_count();
  const std::int64_t rows = partial_rows(shape, list);
  args.partials.o = static_cast<float*>(workspace);
  args.partials.state = reinterpret_cast<float2*>(args.partials.o + rows * shape.head_dim);
  args.partials.tile_rows = args.packing.tile_rows();
  args.first_unit = reinterpret_cast<std::int64_t*>(args.partials.state + rows);
  if (shape.dtype == Dtype::bf16)
    launch_head_dim<bf16>(args, shape.head_dim, stream);
  else
    launch_head_dim<f16>(args, shape.head_dim, stream);
}

}  // namespace attnscope::attend
