// SPDX-License-Identifier: Apache-2.0
// Forward attention over tiles of query rows: Dense, Band and BlockList share one kernel and differ in the tiles of
// keys that they visit (FlashAttention-2, arXiv 2307.08691, algorithm 1).
#include <algorithm>
#include <cmath>
#include <numbers>

#include "harness/base/error.hpp"
#include "harness/device/cuda_check.hpp"
#include "kernels/attend/cuda/launch.hpp"
#include "kernels/attend/cuda/mma.cuh"
#include "kernels/attend/cuda/prefill_tiles.cuh"

namespace attnscope::attend {
namespace {

using namespace device;

constexpr int kWarps = 4;
constexpr int kThreads = kWarps * 32;
constexpr int kStages = 2;

/// Online softmax of one row, as one of the four threads that share it sees it. Scores are unscaled.
struct RowState {
  float max = -INFINITY;
  float sum = 0.0f;   // of this thread's columns
  float lost = 0.0f;  // what rounding took from the sum

  /// Adds the weights of one tile, compensated (Knuth's two-sum): in plain fp32 the far tail of a row that a sink
  /// dominates vanishes term by term, and at 150k keys the LSE is off by more than independent rounding explains.
  __device__ void add(float tile) {
    const float total = sum + tile;
    const float added = total - sum;
    lost += (sum - (total - added)) + (tile - added);
    sum = total;
  }
  __device__ void rescale(float factor) {
    sum *= factor;
    lost *= factor;
  }
};

// A block owns 64·kRowTiles query rows of one head, a warp 16·kRowTiles of them, a thread two rows of each 16 in the
// layout of an m16n8 accumulator; O, S and P stay in registers.
// Reads Q and writes O and LSE once; reads the K and V tiles that the rows attend once per block (from L2: the grid
// runs heads that share them side by side).
// Shared memory: the Q tile (later O), and two stages of a K tile and a V tile of 64 (32) keys, filled by cp.async.
// Shapes: any q_len, kv_len < 2^30, causal or not, any GQA group; block_k a multiple of 16.
// Floor: 4·d FLOPs per attended pair. Measured on an H200, causal, 32 / 8 heads, d = 128, bf16, 32k tokens: 382
// TFLOP/s, 0.65 of cuDNN 9.19 in the same run; blocks of 128 and of 64 keys at 16k, a quarter kept: 325 and 263
// TFLOP/s.
template <typename T, int kHeadDim, int kRowTiles, typename Tiles>
__global__ __launch_bounds__(kThreads,
                             kRowTiles == 1 ? 4 : 2) void prefill_kernel(const __grid_constant__ PrefillArgs args) {
  constexpr int kRowBytes = kHeadDim * 2;
  constexpr int kChunks = kRowBytes / 16;  // 16-byte chunks in a row
  constexpr int kRows = 16 * kRowTiles * kWarps;
  constexpr int kTileKeys = Tiles::kKeys;
  constexpr int kTileBytes = kTileKeys * kRowBytes;
  constexpr int kRowsPerCopy = kThreads / kChunks;
  constexpr int kCopies = kTileKeys / kRowsPerCopy;
  constexpr int kScoreTiles = kTileKeys / 8;
  constexpr int kOutTiles = kHeadDim / 8;

  const int lane = threadIdx.x % 32;
  const int warp = threadIdx.x / 32;

  // Heads of a section run side by side; inside it the query tiles with the most keys start first.
  const int tiles_per_head = args.q_blocks * args.tiles_per_block;
  const int section = blockIdx.x / (args.section_heads * tiles_per_head);
  const int in_section = blockIdx.x - section * args.section_heads * tiles_per_head;
  const int heads_here = min(args.section_heads, args.heads - section * args.section_heads);
  const int head = section * args.section_heads + in_section % heads_here;
  const int q_tile = tiles_per_head - 1 - in_section / heads_here;
  const int q_block = q_tile / args.tiles_per_block;
  const int row_begin = q_block * args.block_q + q_tile % args.tiles_per_block * kRows;
  const int row_end = min(min(row_begin + kRows, (q_block + 1) * args.block_q), args.axis.q_len);
  if (row_begin >= row_end) return;

  const auto* q = static_cast<const T*>(args.q) + std::int64_t{head} * args.axis.q_len * kHeadDim;
  const std::int64_t kv_offset = std::int64_t{head / args.group} * args.axis.kv_len * kHeadDim;
  const int copy_row = threadIdx.x / kChunks;
  const int copy_chunk = threadIdx.x % kChunks;
  const auto* k = static_cast<const T*>(args.k) + kv_offset + copy_chunk * 8;
  const auto* v = static_cast<const T*>(args.v) + kv_offset + copy_chunk * 8;

  extern __shared__ __align__(1024) unsigned char shared[];
  __shared__ typename Tiles::Shared tiles_shared;
  const std::uint32_t q_shared = shared_address(shared);
  const std::uint32_t kv_shared = q_shared + kRows * kRowBytes;

  Tiles tiles(args, head * args.q_blocks + q_block, row_begin, row_end - 1, tiles_shared);
  const int tile_count = tiles.count();

  const auto load_tile = [&](int tile, int stage) {
    const std::uint32_t target = kv_shared + stage * 2 * kTileBytes + swizzled<kRowBytes>(copy_row, copy_chunk);
#pragma unroll
    for (int i = 0; i < kCopies; ++i) {
      const int row = copy_row + i * kRowsPerCopy;
      const int key = tiles.run_begin(tile, row / kRunKeys) + row % kRunKeys;
      const bool valid = key < args.axis.kv_len;
      const std::int64_t offset = valid ? std::int64_t{key} * kHeadDim : 0;
      copy_async(target + i * kRowsPerCopy * kRowBytes, k + offset, valid);
      copy_async(target + i * kRowsPerCopy * kRowBytes + kTileBytes, v + offset, valid);
    }
  };

#pragma unroll
  for (int i = 0; i < kRows / kRowsPerCopy; ++i) {
    const int row = copy_row + i * kRowsPerCopy;
    const bool valid = row_begin + row < row_end;
    const std::int64_t offset = valid ? std::int64_t{row_begin + row} * kHeadDim + copy_chunk * 8 : 0;
    copy_async(q_shared + swizzled<kRowBytes>(row, copy_chunk), q + offset, valid);
  }
  if (tile_count > 0) load_tile(0, 0);
  copy_commit();

  const float scale_log2 = args.scale * std::numbers::log2e_v<float>;
  float out[kRowTiles][kOutTiles][4] = {};
  // One dimension: nvcc 13.0 runs default member initialisers for the first row of a two-dimensional array only, and a
  // maximum that starts at 0 empties rows whose logits all lie far below.
  RowState rows[kRowTiles * 2];

  // Lane addresses of ldmatrix; the k step enters by XOR into the chunk bits, rows by addition.
  const int lane_row8 = lane & 7;
  const std::uint32_t q_lane =
      q_shared + (warp * kRowTiles * 16 + (lane & 15)) * kRowBytes + (((lane >> 4) ^ lane_row8) << 4);
  const std::uint32_t k_lane = (lane_row8 + (lane >> 4) * 8) * kRowBytes + ((((lane >> 3) & 1) ^ lane_row8) << 4);
  const std::uint32_t v_lane = (lane & 15) * kRowBytes + (((lane >> 4) ^ lane_row8) << 4);

  for (int tile = 0; tile < tile_count; ++tile) {
    copy_wait<0>();
    __syncthreads();  // this tile has landed, and every warp is done with the other stage
    if (tile + 1 < tile_count) load_tile(tile + 1, (tile + 1) % kStages);
    copy_commit();
    tiles.look_up(tile + 2);

    const std::uint32_t k_tile = kv_shared + tile % kStages * 2 * kTileBytes + k_lane;
    const std::uint32_t v_tile = kv_shared + tile % kStages * 2 * kTileBytes + kTileBytes + v_lane;

    float score[kRowTiles][kScoreTiles][4] = {};
#pragma unroll
    for (int step = 0; step < kHeadDim / 16; ++step) {
      std::uint32_t a[kRowTiles][4];
#pragma unroll
      for (int m = 0; m < kRowTiles; ++m) ldmatrix(a[m], (q_lane + m * 16 * kRowBytes) ^ (step << 5));
#pragma unroll
      for (int n = 0; n < kScoreTiles; n += 2) {
        std::uint32_t b[4];
        ldmatrix(b, (k_tile + n * 8 * kRowBytes) ^ (step << 5));
#pragma unroll
        for (int m = 0; m < kRowTiles; ++m) {
          mma<T>(score[m][n], a[m], b[0], b[1]);
          mma<T>(score[m][n + 1], a[m], b[2], b[3]);
        }
      }
    }

    if (!tiles.full(tile)) {
#pragma unroll
      for (int m = 0; m < kRowTiles; ++m)
#pragma unroll
        for (int half = 0; half < 2; ++half) {
          const RowMask mask = Tiles::mask(args, row_begin + (warp * kRowTiles + m) * 16 + half * 8 + lane / 4);
#pragma unroll
          for (int n = 0; n < kScoreTiles; ++n) {
            const int key = tiles.run_begin(tile, n / 2) + n % 2 * 8 + lane % 4 * 2;
            if (!mask.attends(key)) score[m][n][half * 2] = -INFINITY;
            if (!mask.attends(key + 1)) score[m][n][half * 2 + 1] = -INFINITY;
          }
        }
    }

    // Online softmax. O is rescaled only when some row of the warp met a new maximum.
    float shift[kRowTiles][2];
    float rescale[kRowTiles][2];
    bool moved = false;
#pragma unroll
    for (int m = 0; m < kRowTiles; ++m)
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        float best = rows[m * 2 + half].max;
#pragma unroll
        for (int n = 0; n < kScoreTiles; ++n)
          best = fmaxf(best, fmaxf(score[m][n][half * 2], score[m][n][half * 2 + 1]));
        best = fmaxf(best, __shfl_xor_sync(kWarpMask, best, 1));
        best = fmaxf(best, __shfl_xor_sync(kWarpMask, best, 2));
        moved |= best != rows[m * 2 + half].max;
        shift[m][half] = best == -INFINITY ? 0.0f : best * scale_log2;
        rescale[m][half] = exp2_fast(rows[m * 2 + half].max * scale_log2 - shift[m][half]);
        rows[m * 2 + half].max = best;
      }
    if (__any_sync(kWarpMask, moved)) {
#pragma unroll
      for (int m = 0; m < kRowTiles; ++m) {
        rows[m * 2].rescale(rescale[m][0]);
        rows[m * 2 + 1].rescale(rescale[m][1]);
#pragma unroll
        for (int n = 0; n < kOutTiles; ++n) {
          out[m][n][0] *= rescale[m][0];
          out[m][n][1] *= rescale[m][0];
          out[m][n][2] *= rescale[m][1];
          out[m][n][3] *= rescale[m][1];
        }
      }
    }
#pragma unroll
    for (int m = 0; m < kRowTiles; ++m) {
      float tile_sum[2] = {0.0f, 0.0f};
#pragma unroll
      for (int n = 0; n < kScoreTiles; ++n)
#pragma unroll
        for (int e = 0; e < 4; ++e) {
          score[m][n][e] = exp2_fast(fmaf(score[m][n][e], scale_log2, -shift[m][e / 2]));
          tile_sum[e / 2] += score[m][n][e];
        }
      rows[m * 2].add(tile_sum[0]);
      rows[m * 2 + 1].add(tile_sum[1]);
    }

    // O += P V: an accumulator pair of S is, once rounded, the A fragment of the next product.
#pragma unroll
    for (int step = 0; step < kTileKeys / 16; ++step) {
      std::uint32_t p[kRowTiles][4];
#pragma unroll
      for (int m = 0; m < kRowTiles; ++m)
#pragma unroll
        for (int e = 0; e < 4; ++e)
          p[m][e] = pack<T>(score[m][step * 2 + e / 2][e % 2 * 2], score[m][step * 2 + e / 2][e % 2 * 2 + 1]);
#pragma unroll
      for (int n = 0; n < kOutTiles; n += 2) {
        std::uint32_t b[4];
        ldmatrix_transposed(b, (v_tile + step * 16 * kRowBytes) ^ (n << 4));
#pragma unroll
        for (int m = 0; m < kRowTiles; ++m) {
          mma<T>(out[m][n], p[m], b[0], b[1]);
          mma<T>(out[m][n + 1], p[m], b[2], b[3]);
        }
      }
    }
    tiles.publish(tile + 2);
  }
  copy_wait<0>();
  if (tile_count == 0) __syncthreads();  // Q may still be landing from another warp's copies

  __syncwarp();  // every lane has read its Q fragments
  // Epilogue: each warp passes its rows of O through its own rows of the Q tile, for 16-byte stores.
#pragma unroll
  for (int m = 0; m < kRowTiles; ++m)
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float sum = rows[m * 2 + half].sum + rows[m * 2 + half].lost;
      sum += __shfl_xor_sync(kWarpMask, sum, 1);
      sum += __shfl_xor_sync(kWarpMask, sum, 2);
      const float inverse = sum > 0.0f ? 1.0f / sum : 0.0f;
      const int local = (warp * kRowTiles + m) * 16 + half * 8 + lane / 4;
#pragma unroll
      for (int n = 0; n < kOutTiles; ++n)
        *reinterpret_cast<std::uint32_t*>(shared + swizzled<kRowBytes>(local, n) + lane % 4 * 4) =
            pack<T>(out[m][n][half * 2] * inverse, out[m][n][half * 2 + 1] * inverse);
      if (lane % 4 == 0 && row_begin + local < row_end)
        args.lse[std::int64_t{head} * args.axis.q_len + row_begin + local] =
            sum > 0.0f ? rows[m * 2 + half].max * args.scale + logf(sum) : -INFINITY;
    }
  __syncwarp();
  auto* o = static_cast<T*>(args.o) + std::int64_t{head} * args.axis.q_len * kHeadDim;
#pragma unroll
  for (int i = 0; i < kRowTiles * 16 * kChunks / 32; ++i) {
    const int local = warp * kRowTiles * 16 + (i * 32 + lane) / kChunks;
    const int chunk = (i * 32 + lane) % kChunks;
    if (row_begin + local < row_end)
      *reinterpret_cast<uint4*>(o + std::int64_t{row_begin + local} * kHeadDim + chunk * 8) =
          *reinterpret_cast<const uint4*>(shared + swizzled<kRowBytes>(local, chunk));
  }
}

template <typename T, int kHeadDim, int kRowTiles, typename Tiles>
void launch(PrefillArgs args, cudaStream_t stream) {
  constexpr int kRows = 16 * kRowTiles * kWarps;
  constexpr int kSharedBytes = (kRows + kStages * 2 * Tiles::kKeys) * kHeadDim * 2;
  if (args.block_q == 0) args.block_q = kRows;  // Dense and Band: a tile is its own block
  args.q_blocks = (args.axis.q_len + args.block_q - 1) / args.block_q;
  args.tiles_per_block = (args.block_q + kRows - 1) / kRows;
  const std::int64_t blocks = std::int64_t{args.heads} * args.q_blocks * args.tiles_per_block;
  if (blocks > 0x7fffffff) throw Error("attend::cuda: too many query tiles for one launch");
  const auto kernel = prefill_kernel<T, kHeadDim, kRowTiles, Tiles>;
  cuda_check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, kSharedBytes),
             "attend::cuda prefill: shared memory");
  kernel<<<static_cast<unsigned>(blocks), kThreads, kSharedBytes, stream>>>(args);
  cuda_check(cudaGetLastError(), "attend::cuda prefill");
}

template <typename T, int kHeadDim>
void launch_form(const PrefillArgs& args, bool listed, cudaStream_t stream) {
  // A query block of 64 rows or fewer would leave half of a 128-row tile idle.
  if (!listed)
    launch<T, kHeadDim, 2, WindowTiles<64>>(args, stream);
  else if (args.block_q <= 64)
    launch<T, kHeadDim, 1, ListTiles<32>>(args, stream);
  else
    launch<T, kHeadDim, 2, ListTiles<64>>(args, stream);
}

template <typename T>
void launch_head_dim(const PrefillArgs& args, std::int64_t head_dim, bool listed, cudaStream_t stream) {
  if (head_dim == 64)
    launch_form<T, 64>(args, listed, stream);
  else
    launch_form<T, 128>(args, listed, stream);
}

/// Query heads that run side by side: as many KV heads as fill half of a 50 MB L2 with K and V, at least one.
int section_heads(const Shape& shape) {
  constexpr std::int64_t kL2Share = 25'000'000;
  const std::int64_t kv_bytes = 2 * shape.kv_len * shape.head_dim * size_of(shape.dtype);
  const std::int64_t kv_heads = std::clamp<std::int64_t>(kL2Share / kv_bytes, 1, shape.batch * shape.kv_heads);
  return static_cast<int>(kv_heads * shape.group());
}

}  // namespace

void prefill(const AttentionInputs& in, const KeySource& keys, const AttentionOutputs& out, cudaStream_t stream) {
  const Shape& shape = in.shape;
  PrefillArgs args{};
  args.q = in.q;
  args.k = in.k;
  args.v = in.v;
  args.o = out.o;
  args.lse = out.lse;
  args.axis = {static_cast<int>(shape.q_len), static_cast<int>(shape.kv_len), shape.causal};
  args.heads = static_cast<int>(shape.batch * shape.q_heads);
  args.group = static_cast<int>(shape.group());
  args.section_heads = section_heads(shape);
  args.scale = in.scale;
  const auto* list = std::get_if<BlockList>(&keys);
  if (list) {
    args.list_begin = list->begin.data();
    args.list_indices = list->indices.data();
    args.block_q = static_cast<int>(list->block_q);
    args.block_k = static_cast<int>(list->block_k);
  } else {
    args.window = std::get<Window>(keys);
  }
  if (shape.dtype == Dtype::bf16)
    launch_head_dim<bf16>(args, shape.head_dim, list != nullptr, stream);
  else
    launch_head_dim<f16>(args, shape.head_dim, list != nullptr, stream);
}

}  // namespace attnscope::attend
