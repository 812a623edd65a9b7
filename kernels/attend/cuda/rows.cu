// SPDX-License-Identifier: Apache-2.0
// Forward attention of f32 inputs on CUDA cores, in fp32 throughout: every form, one query row at a time. It exists to
// be right; the fast paths are the half types'.
#include <cmath>

#include "harness/base/error.hpp"
#include "harness/device/cuda_check.hpp"
#include "kernels/attend/cuda/cache.cuh"
#include "kernels/attend/cuda/launch.hpp"
#include "kernels/attend/cuda/merge.cuh"
#include "kernels/attend/cuda/plan.hpp"

namespace attnscope::attend {
namespace {

using namespace device;

constexpr int kWarps = 4;
constexpr int kThreads = kWarps * 32;
constexpr unsigned kAllLanes = 0xffffffffu;

/// A list per (head, query block): TokenList has blocks of one query and a count per list, BlockList counts from the
/// beginning of the next list.
struct ListArgs {
  const std::int64_t* __restrict__ begin;
  const std::int32_t* __restrict__ count;
  const std::int32_t* __restrict__ indices;
  const float* __restrict__ log_weight;  // null: none
  int run;
  int block_q;
  int blocks;  // query blocks per head
  int share;   // query heads under one list
};

struct Args {
  const float* __restrict__ q;
  const float* __restrict__ k;
  const float* __restrict__ v;
  AttentionOutputs out;
  Axis axis;
  Window window;
  ListArgs list;
  Cache cache;
  int group;
  float scale;
  Partials partials;
};

/// The list of a row, and its log weights.
struct ListedKeys : KeyRuns {
  const float* weights;  // null: none
  __device__ float log_weight(int n) const { return weights ? weights[n] : 0.0f; }
};

/// The keys of a window, which all weigh the same.
struct WindowKeys : KeyRanges {
  __device__ float log_weight(int) const { return 0.0f; }
};

template <bool kListed>
__device__ auto key_sequence(const Args& args, std::int64_t head, int i) {
  if constexpr (kListed) {
    const std::int64_t list = head / args.list.share * args.list.blocks + i / args.list.block_q;
    const std::int64_t begin = args.list.begin[list];
    const int count = args.list.count ? args.list.count[list] : static_cast<int>(args.list.begin[list + 1] - begin);
    return ListedKeys{key_runs(args.list.indices + begin, count, args.list.run),
                      args.list.log_weight ? args.list.log_weight + begin : nullptr};
  } else {
    return WindowKeys{KeyRanges(args.axis, args.window, i, i, 1)};
  }
}

// A block owns one split of the keys of one query row; a warp every fourth run of 32 of them; a lane one key for its
// score, then four (or two) channels of O for all 32 keys.
// Reads q once per block and each attended K and V row once per query row; writes O and LSE, or a partial of each.
// Shared memory: q, and the O of the four warps at the end.
// Shapes: any; kv_len < 2^30. Floor: 4·d FLOPs per attended pair at the fp32 rate; bound by L1 and L2 reads instead.
template <int kHeadDim, bool kListed>
__global__ __launch_bounds__(kThreads, 6) void rows_kernel(const __grid_constant__ Args args) {
  constexpr int kChannels = kHeadDim / 32;
  const int lane = threadIdx.x % 32;
  const int warp = threadIdx.x / 32;
  const std::int64_t row = blockIdx.x;
  const std::int64_t head = row / args.axis.q_len;
  const int i = static_cast<int>(row % args.axis.q_len);
  const int split = blockIdx.y;

  __shared__ float4 q[kHeadDim / 4];
  __shared__ float shared_out[kWarps][kHeadDim];
  __shared__ float2 shared_state[kWarps];
  if (threadIdx.x < kHeadDim)
    reinterpret_cast<float*>(q)[threadIdx.x] = args.q[row * kHeadDim + threadIdx.x] * args.scale;
  __syncthreads();

  const auto sequence = key_sequence<kListed>(args, head, i);
  const RowMask mask = kListed ? RowMask(args.axis, i) : RowMask(args.axis, args.window, i);
  const int split_keys = (sequence.length + args.partials.splits - 1) / args.partials.splits;
  const int begin = static_cast<int>(min(std::int64_t{split} * split_keys, std::int64_t{sequence.length}));
  const int end = min(begin + split_keys, sequence.length);
  const KvRows kv_rows = args.cache.rows(static_cast<int>(head / args.group));

  float maximum = -INFINITY;
  float sum = 0.0f;  // of this lane's keys
  float out[kChannels] = {};
  for (int first = begin + warp * 32; first < end; first += kThreads) {
    const int n = first + lane;
    const int key = n < end ? sequence.key(n) : kNoKey;
    const std::int64_t kv_row = mask.attends(key) ? kv_rows.row(key) : -1;
    float score = -INFINITY;
    if (kv_row >= 0) {
      const auto* source = reinterpret_cast<const float4*>(args.k + kv_row * kHeadDim);
      score = sequence.log_weight(n);
#pragma unroll 8
      for (int c = 0; c < kHeadDim / 4; ++c) {
        const float4 x = source[c];
        score = fmaf(q[c].x, x.x, fmaf(q[c].y, x.y, fmaf(q[c].z, x.z, fmaf(q[c].w, x.w, score))));
      }
    }
    float best = fmaxf(maximum, score);
#pragma unroll
    for (int offset = 16; offset > 0; offset /= 2) best = fmaxf(best, __shfl_xor_sync(kAllLanes, best, offset));
    if (best == -INFINITY) continue;
    const float rescale = rescale_factor(maximum, best);
    const float p = score == -INFINITY ? 0.0f : expf(score - best);
    maximum = best;
    sum = sum * rescale + p;
#pragma unroll
    for (float& x : out) x *= rescale;
#pragma unroll 8
    for (int j = 0; j < 32; ++j) {
      const float weight = __shfl_sync(kAllLanes, p, j);
      const std::int64_t source_row = __shfl_sync(kAllLanes, kv_row, j);
      if (source_row < 0) continue;
      const float* source = args.v + source_row * kHeadDim + lane;
#pragma unroll
      for (int c = 0; c < kChannels; ++c) out[c] = fmaf(weight, source[c * 32], out[c]);
    }
  }

#pragma unroll
  for (int offset = 16; offset > 0; offset /= 2) sum += __shfl_xor_sync(kAllLanes, sum, offset);
  if (lane == 0) shared_state[warp] = {maximum, sum};
#pragma unroll
  for (int c = 0; c < kChannels; ++c) shared_out[warp][c * 32 + lane] = out[c];
  __syncthreads();
  if (threadIdx.x >= kHeadDim) return;
  maximum = -INFINITY;
  for (int w = 0; w < kWarps; ++w) maximum = fmaxf(maximum, shared_state[w].x);
  float value = 0.0f;
  sum = 0.0f;
  for (int w = 0; w < kWarps; ++w) {
    const float weight = rescale_factor(shared_state[w].x, maximum);
    sum += shared_state[w].y * weight;
    value += shared_out[w][threadIdx.x] * weight;
  }
  if (args.partials.splits > 1) {
    const std::int64_t partial = args.partials.row(row, split, 0);
    args.partials.o[partial * kHeadDim + threadIdx.x] = value;
    if (threadIdx.x == 0) args.partials.state[partial] = {maximum, sum};
  } else {
    store<float>(args.out, row * kHeadDim + threadIdx.x, sum > 0.0f ? value / sum : 0.0f);
    if (threadIdx.x == 0) args.out.lse[row] = log_sum(maximum, sum);
  }
}

// A block owns one query row. Reads each partial once.
template <int kHeadDim>
__global__ __launch_bounds__(kMergeThreads) void merge_kernel(const __grid_constant__ Args args) {
  const std::int64_t row = blockIdx.x;
  merge_row<float, kHeadDim>(
      args.partials, args.partials.splits, [&](int split) { return args.partials.row(row, split, 0); }, args.out, row);
}

template <int kHeadDim>
void launch(const Args& args, const SplitPlan& plan, bool listed, cudaStream_t stream) {
  const auto rows = static_cast<unsigned>(plan.tiles);
  const dim3 grid(rows, static_cast<unsigned>(plan.splits));
  if (listed)
    rows_kernel<kHeadDim, true><<<grid, kThreads, 0, stream>>>(args);
  else
    rows_kernel<kHeadDim, false><<<grid, kThreads, 0, stream>>>(args);
  cuda_check(cudaGetLastError(), "attend::cuda rows");
  if (plan.splits == 1) return;
  merge_kernel<kHeadDim><<<rows, kMergeThreads, 0, stream>>>(args);
  cuda_check(cudaGetLastError(), "attend::cuda merge");
}

ListArgs list_args(const Shape& shape, const KeySource& keys) {
  ListArgs list{};
  if (const auto* tokens = std::get_if<TokenList>(&keys)) {
    list.begin = tokens->begin.data();
    list.count = tokens->count.data();
    list.indices = tokens->indices.data();
    list.log_weight = tokens->log_weight.empty() ? nullptr : tokens->log_weight.data();
    list.run = static_cast<int>(tokens->page);
    list.block_q = 1;
    list.blocks = static_cast<int>(shape.q_len);
    list.share = static_cast<int>(shape.q_heads / tokens->heads);
  } else if (const auto* blocks = std::get_if<BlockList>(&keys)) {
    list.begin = blocks->begin.data();
    list.indices = blocks->indices.data();
    list.run = static_cast<int>(blocks->block_k);
    list.block_q = static_cast<int>(blocks->block_q);
    list.blocks = static_cast<int>((shape.q_len + blocks->block_q - 1) / blocks->block_q);
    list.share = 1;
  }
  return list;
}

}  // namespace

SplitPlan rows_plan(const Shape& shape, const KeySource& keys) {
  return plan_splits(shape.rows(), 1, most_keys(shape, keys), kThreads);
}

void rows(const AttentionInputs& in, const KeySource& keys, const AttentionOutputs& out, void* workspace,
          cudaStream_t stream) {
  const Shape& shape = in.shape;
  const SplitPlan plan = rows_plan(shape, keys);
  Args args{};
  args.q = static_cast<const float*>(in.q);
  args.k = static_cast<const float*>(in.k);
  args.v = static_cast<const float*>(in.v);
  args.out = out;
  args.axis = {static_cast<int>(shape.q_len), static_cast<int>(shape.kv_len), shape.causal};
  args.list = list_args(shape, keys);
  args.cache = Cache(in);
  args.group = static_cast<int>(shape.group());
  args.scale = in.scale;
  args.partials = partials_in(workspace, plan, shape.head_dim);
  const auto* window = std::get_if<Window>(&keys);
  if (window) args.window = *window;
  if (shape.head_dim == 64)
    launch<64>(args, plan, window == nullptr, stream);
  else
    launch<128>(args, plan, window == nullptr, stream);
}

}  // namespace attnscope::attend
