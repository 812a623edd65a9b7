// SPDX-License-Identifier: Apache-2.0
// Scores of query rows against rows of another matrix: the logits (against K), and Quest's page bounds. The latter are
// the same product at twice the depth, since U = Σ max(q m, q M) = [min(q, 0), max(q, 0)] · [m, M] whenever m ≤ M.
#include <algorithm>
#include <string>
#include <type_traits>

#include "harness/base/error.hpp"
#include "harness/device/cuda_check.hpp"
#include "kernels/attend/cuda/mma.cuh"
#include "kernels/select/cuda/head_rows.cuh"
#include "kernels/select/select.hpp"

namespace attnscope::select::cuda {
namespace {

using namespace device;

constexpr int kWarps = 4;
constexpr int kThreads = kWarps * 32;
constexpr int kStepKeys = 16;  // keys that a warp takes at once
constexpr int kBlockKeys = 2048;

/// Runs of K rows in flight per warp: four where reading K is the work, three where shared memory limits the blocks.
constexpr int stages_of(int depth, int row_tiles) { return depth > 128 || row_tiles > 1 ? 3 : 4; }

struct Args {
  const void* __restrict__ q;  // [batch · q_heads, q_len, head_dim]
  const void* __restrict__ k;  // [batch · kv_heads, keys, depth], or a pool of pages
  HeadRows rows;
  float* __restrict__ scores;
  std::int32_t* __restrict__ length;  // written when not null
  std::int64_t stride;
  std::int64_t q_len;
  std::int64_t first_query;
  std::int64_t queries;  // per head, from first_query
  std::int64_t keys;
  std::int64_t first_position;  // of query row 0 on the key axis
  bool causal;
  int group;
  float scale;

  /// Keys that query row i sees.
  __device__ std::int64_t visible(std::int64_t i) const { return causal ? first_position + i + 1 : keys; }
};

/// Packed row m of a KV head: query first_query + m / group of query head kv_head · group + m % group.
struct PackedRow {
  std::int64_t query;
  std::int64_t input;   // row of q
  std::int64_t output;  // row of the scores

  __device__ PackedRow(const Args& args, std::int64_t kv_head, std::int64_t m) {
    const std::int64_t head = kv_head * args.group + m % args.group;
    query = args.first_query + m / args.group;
    input = head * args.q_len + query;
    output = head * args.queries + m / args.group;
  }
};

/// Element c of the row that multiplies K: q itself, or [min(q, 0), max(q, 0)] for page bounds.
template <int kHeadDim, bool kBounds, typename T>
__device__ float query_element(const T* q, int c) {
  if constexpr (!kBounds)
    return static_cast<float>(q[c]);
  else
    return c < kHeadDim ? fminf(static_cast<float>(q[c]), 0.0f) : fmaxf(static_cast<float>(q[c - kHeadDim]), 0.0f);
}

// A block owns 16·kRowTiles query rows of one KV head and 2048 keys, a warp every fourth run of 16 keys, a thread two
// rows and four keys of each 16×16 product.
// Reads Q once per block and each K row once per 16·kRowTiles query rows (so once in decode); writes each score once.
// Shared memory: the Q rows, and per warp kStages runs of 16 K rows (cp.async), 16–24 KB in flight per block.
// Shapes: any; head_dim 64 or 128, f16 and bf16.
// Floor: K read and scores written. Measured on an H200, in fractions of the HBM read rate: logits of one query over a
// million tokens 0.94, and 0.78 from a cache in pages of 16 keys; page bounds of 4M tokens 0.91 and of 1M 0.84; logits
// of 256 queries over 32k tokens 0.41, where L1 is the busiest unit: ldmatrix of Q and stores of 32 bytes per row.
template <typename T, int kHeadDim, int kRowTiles, bool kBounds>
__global__ __launch_bounds__(kThreads, 3) void scores_kernel(const __grid_constant__ Args args) {
  constexpr int kDepth = kBounds ? 2 * kHeadDim : kHeadDim;
  constexpr int kRowBytes = kDepth * 2;
  constexpr int kStages = stages_of(kDepth, kRowTiles);
  constexpr int kChunks = kRowBytes / 16;
  constexpr int kRowsPerCopy = 32 / std::min(kChunks, 32);
  constexpr int kStepBytes = kStepKeys * kRowBytes;
  constexpr int kSteps = kDepth / 16;
  constexpr int kRows = 16 * kRowTiles;

  const int lane = threadIdx.x % 32;
  const int warp = threadIdx.x / 32;
  const std::int64_t kv_head = blockIdx.z;
  const std::int64_t row0 = std::int64_t{blockIdx.y} * kRows;
  const std::int64_t row_count = args.queries * args.group;
  const std::int64_t last_row = min(row0 + kRows, row_count) - 1;
  const std::int64_t key_begin = std::int64_t{blockIdx.x} * kBlockKeys;
  const std::int64_t key_end =
      min(min(key_begin + kBlockKeys, args.keys), args.visible(PackedRow(args, kv_head, last_row).query));

  if (blockIdx.x == 0 && args.length && threadIdx.x <= last_row - row0) {
    const PackedRow row(args, kv_head, row0 + threadIdx.x);
    args.length[row.output] = static_cast<std::int32_t>(args.visible(row.query));
  }
  if (key_begin >= key_end) return;

  extern __shared__ __align__(1024) unsigned char shared[];
  const std::uint32_t q_shared = shared_address(shared);
  const std::uint32_t stages = q_shared + kRows * kRowBytes + warp * kStages * kStepBytes;
  const int copy_row = lane / kChunks;
  const int copy_chunk = lane % kChunks;
  const KvRows k_rows = args.rows[kv_head];
  const auto* k = static_cast<const T*>(args.k) + copy_chunk * 8;
  const auto load_step = [&](int step) {
    const std::uint32_t target = stages + step % kStages * kStepBytes;
#pragma unroll
    for (int i = 0; i < kStepKeys / kRowsPerCopy; ++i) {
      const int row = copy_row + i * kRowsPerCopy;
      const std::int64_t key = key_begin + (step * kWarps + warp) * kStepKeys + row;
      const bool valid = key < key_end;
      copy_async(target + swizzled<kRowBytes>(row, copy_chunk), k + (valid ? k_rows.row(key) * kDepth : 0), valid);
    }
  };
  const int step_count = static_cast<int>((key_end - key_begin + kWarps * kStepKeys - 1) / (kWarps * kStepKeys));
#pragma unroll
  for (int step = 0; step < kStages - 1; ++step) {
    if (step < step_count) load_step(step);
    copy_commit();
  }

  for (int e = threadIdx.x; e < kRows * kDepth / 2; e += kThreads) {
    const int row = e / (kDepth / 2);
    const int pair = e % (kDepth / 2);
    std::uint32_t bits = 0;
    if (row0 + row <= last_row) {
      const auto* q = static_cast<const T*>(args.q) + PackedRow(args, kv_head, row0 + row).input * kHeadDim;
      bits = pack<T>(query_element<kHeadDim, kBounds>(q, pair * 2), query_element<kHeadDim, kBounds>(q, pair * 2 + 1));
    }
    *reinterpret_cast<std::uint32_t*>(shared + swizzled<kRowBytes>(row, pair / 4) + pair % 4 * 4) = bits;
  }
  __syncthreads();

  float* targets[kRowTiles][2];  // the score rows of this thread, null past the last
  std::int64_t limits[kRowTiles][2];
#pragma unroll
  for (int m = 0; m < kRowTiles; ++m)
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const std::int64_t packed = row0 + m * 16 + half * 8 + lane / 4;
      const PackedRow row(args, kv_head, packed);
      targets[m][half] = args.scores + row.output * args.stride;
      limits[m][half] = packed <= last_row ? min(key_end, args.visible(row.query)) : 0;
    }
  const bool paired = args.stride % 2 == 0;  // rows begin at 8-byte boundaries

  const int lane_row8 = lane & 7;
  const std::uint32_t q_lane = q_shared + (lane & 15) * kRowBytes + (((lane >> 4) ^ lane_row8) << 4);
  const std::uint32_t k_lane = (lane_row8 + (lane >> 4) * 8) * kRowBytes + ((((lane >> 3) & 1) ^ lane_row8) << 4);
  for (int step = 0; step < step_count; ++step) {
    copy_wait<kStages - 2>();
    __syncwarp();
    if (step + kStages - 1 < step_count) load_step(step + kStages - 1);
    copy_commit();

    const std::uint32_t k_tile = stages + step % kStages * kStepBytes + k_lane;
    float score[kRowTiles][2][4] = {};
    std::uint32_t a[2][kRowTiles][4];  // fragments of this k step and of the next
    std::uint32_t b[2][4];
    const auto load_fragments = [&](int s) {
      ldmatrix(b[s % 2], k_tile ^ (s << 5));
#pragma unroll
      for (int m = 0; m < kRowTiles; ++m) ldmatrix(a[s % 2][m], (q_lane + m * 16 * kRowBytes) ^ (s << 5));
    };
    load_fragments(0);
#pragma unroll
    for (int s = 0; s < kSteps; ++s) {
      if (s + 1 < kSteps) load_fragments(s + 1);
#pragma unroll
      for (int m = 0; m < kRowTiles; ++m) {
        mma<T>(score[m][0], a[s % 2][m], b[s % 2][0], b[s % 2][1]);
        mma<T>(score[m][1], a[s % 2][m], b[s % 2][2], b[s % 2][3]);
      }
    }
    const std::int64_t key0 = key_begin + (step * kWarps + warp) * kStepKeys + lane % 4 * 2;
#pragma unroll
    for (int m = 0; m < kRowTiles; ++m)
#pragma unroll
      for (int half = 0; half < 2; ++half)
#pragma unroll
        for (int n = 0; n < 2; ++n) {
          const std::int64_t key = key0 + n * 8;
          const float2 pair = {score[m][n][half * 2] * args.scale, score[m][n][half * 2 + 1] * args.scale};
          float* target = targets[m][half] + key;
          if (paired && key + 1 < limits[m][half]) {
            *reinterpret_cast<float2*>(target) = pair;
          } else {
            if (key < limits[m][half]) target[0] = pair.x;
            if (key + 1 < limits[m][half]) target[1] = pair.y;
          }
        }
  }
}

// f32 on CUDA cores: a block owns one query row and 2048 keys, a lane one key at a time.
// Reads K once per query row (mostly from L2 within a group); writes each score once. Shared memory: the query row.
template <int kHeadDim, bool kBounds>
__global__ __launch_bounds__(kThreads) void scores_f32_kernel(const __grid_constant__ Args args) {
  constexpr int kDepth = kBounds ? 2 * kHeadDim : kHeadDim;
  const std::int64_t kv_head = blockIdx.z;
  const PackedRow row(args, kv_head, blockIdx.y);
  const std::int64_t visible = args.visible(row.query);
  const std::int64_t key_begin = std::int64_t{blockIdx.x} * kBlockKeys;
  const std::int64_t key_end = min(min(key_begin + kBlockKeys, args.keys), visible);
  if (blockIdx.x == 0 && threadIdx.x == 0 && args.length) args.length[row.output] = static_cast<std::int32_t>(visible);

  const KvRows k_rows = args.rows[kv_head];
  __shared__ float4 q[kDepth / 4];
  for (int c = threadIdx.x; c < kDepth; c += kThreads)
    reinterpret_cast<float*>(q)[c] =
        query_element<kHeadDim, kBounds>(static_cast<const float*>(args.q) + row.input * kHeadDim, c);
  __syncthreads();
  for (std::int64_t key = key_begin + threadIdx.x; key < key_end; key += kThreads) {
    const auto* k = reinterpret_cast<const float4*>(static_cast<const float*>(args.k) + k_rows.row(key) * kDepth);
    float score = 0.0f;
#pragma unroll 8
    for (int c = 0; c < kDepth / 4; ++c) {
      const float4 x = k[c];
      score = fmaf(q[c].x, x.x, fmaf(q[c].y, x.y, fmaf(q[c].z, x.z, fmaf(q[c].w, x.w, score))));
    }
    args.scores[row.output * args.stride + key] = score * args.scale;
  }
}

dim3 score_grid(const Args& args, std::int64_t kv_heads, std::int64_t rows_per_block) {
  const std::int64_t row_blocks = (args.queries * args.group + rows_per_block - 1) / rows_per_block;
  if (row_blocks > 65535 || kv_heads > 65535)
    throw Error("select::cuda scores: more than 65535 row blocks or KV heads in one launch; use a shorter query range");
  return dim3(static_cast<unsigned>((args.keys + kBlockKeys - 1) / kBlockKeys), static_cast<unsigned>(row_blocks),
              static_cast<unsigned>(kv_heads));
}

template <typename T, int kHeadDim, int kRowTiles, bool kBounds>
void launch_tiles(const Args& args, std::int64_t kv_heads, cudaStream_t stream) {
  constexpr int kDepth = kBounds ? 2 * kHeadDim : kHeadDim;
  constexpr int kStages = stages_of(kDepth, kRowTiles);
  constexpr int kSharedBytes = (16 * kRowTiles + kWarps * kStages * kStepKeys) * kDepth * 2;
  const auto kernel = scores_kernel<T, kHeadDim, kRowTiles, kBounds>;
  cuda_check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, kSharedBytes),
             "select::cuda scores: shared memory");
  kernel<<<score_grid(args, kv_heads, 16 * kRowTiles), kThreads, kSharedBytes, stream>>>(args);
}

template <int kHeadDim, bool kBounds>
void launch_dtype(const Args& args, std::int64_t kv_heads, Dtype dtype, cudaStream_t stream) {
  const bool few_rows = args.queries * args.group <= 16;
  if (dtype == Dtype::f32)
    scores_f32_kernel<kHeadDim, kBounds><<<score_grid(args, kv_heads, 1), kThreads, 0, stream>>>(args);
  else if (dtype == Dtype::bf16 && few_rows)
    launch_tiles<bf16, kHeadDim, 1, kBounds>(args, kv_heads, stream);
  else if (dtype == Dtype::bf16)
    launch_tiles<bf16, kHeadDim, 4, kBounds>(args, kv_heads, stream);
  else if (few_rows)
    launch_tiles<f16, kHeadDim, 1, kBounds>(args, kv_heads, stream);
  else
    launch_tiles<f16, kHeadDim, 4, kBounds>(args, kv_heads, stream);
  cuda_check(cudaGetLastError(), "select::cuda scores");
}

template <bool kBounds>
void launch(const Args& args, const Shape& shape, cudaStream_t stream) {
  if (shape.head_dim == 64)
    launch_dtype<64, kBounds>(args, shape.batch * shape.kv_heads, shape.dtype, stream);
  else if (shape.head_dim == 128)
    launch_dtype<128, kBounds>(args, shape.batch * shape.kv_heads, shape.dtype, stream);
  else
    throw InputError("select::cuda scores: expected head_dim 64 or 128, found " + std::to_string(shape.head_dim));
}

}  // namespace

void logits(const AttentionInputs& in, QueryRange range, Scores scores, std::int32_t* length, void* stream) {
  const Shape& shape = in.shape;
  Args args{};
  args.q = in.q;
  args.k = in.k;
  args.rows = HeadRows::of(in);
  args.scores = scores.data;
  args.length = length;
  args.stride = scores.stride;
  args.q_len = shape.q_len;
  args.first_query = range.first;
  args.queries = range.count;
  args.keys = shape.kv_len;
  args.first_position = shape.position(0);
  args.causal = shape.causal;
  args.group = static_cast<int>(shape.group());
  args.scale = in.scale;
  launch<false>(args, shape, static_cast<cudaStream_t>(stream));
}

void page_scores(const AttentionInputs& in, const PageBounds& bounds, Scores scores, void* stream) {
  const Shape& shape = in.shape;
  Args args{};
  args.q = in.q;
  args.k = bounds.data;
  args.rows = HeadRows::contiguous(bounds.pages);
  args.scores = scores.data;
  args.stride = scores.stride;
  args.q_len = shape.q_len;
  args.queries = shape.q_len;
  args.keys = bounds.pages;
  args.causal = false;
  args.group = static_cast<int>(shape.group());
  args.scale = 1.0f;
  launch<true>(args, shape, static_cast<cudaStream_t>(stream));
}

}  // namespace attnscope::select::cuda
