// SPDX-License-Identifier: Apache-2.0
// Scores from quantised keys. A stream is what reads the same rows of codes: the query heads of a group, or one head
// where candidates or channels are its own. Codes go from memory into the registers that tensor cores take them from:
// the 4 lanes that own a row of the product load the 16-byte pieces of one key.
#include <algorithm>
#include <limits>
#include <string>

#include "harness/base/error.hpp"
#include "harness/device/cuda_check.hpp"
#include "kernels/attend/cuda/mma.cuh"
#include "kernels/select/cuda/codes.cuh"
#include "kernels/select/cuda/head_rows.cuh"
#include "kernels/select/engines.hpp"

namespace attnscope::select::cuda {
namespace {

using namespace device;

constexpr int kWarps = 4;
constexpr int kThreads = kWarps * 32;
constexpr int kBlocksPerSm = 5;
constexpr int kTileHeads = 8;  // query heads of a block: columns of a product
constexpr int kMaxChannels = 128;

struct Args {
  const void* __restrict__ q;
  Dtype dtype;  // of q
  const std::byte* __restrict__ codes;
  const std::uint32_t* __restrict__ ranges;  // step in the low half, min in the high one
  const std::int32_t* __restrict__ channel;
  float* __restrict__ scores;
  std::int32_t* __restrict__ length;
  HeadRows rows;
  CandidateLists candidates;
  std::int64_t stride;
  std::int32_t plane_rows;
  int row_bytes;
  int head_dim;
  int channels;
  int heads;     // streams per sequence
  int share;     // query heads of a stream
  int per_kv;    // streams of a KV head
  int per_list;  // streams of a candidate list
  bool planes;   // every stream of a KV head has a plane of its own
  int tiles;     // of kTileHeads query heads per stream
  int block_keys;
  float scale;
};

/// What a block works on: keys [begin, end) of a stream's candidates for up to kTileHeads query heads.
struct Work {
  int begin;
  int end;
  int rows;
  std::int64_t row0;       // of the scores
  std::int64_t list_head;  // whose channels are kept
  std::int32_t plane_row;  // first row of the plane
  CandidateKeys keys;
  KvRows k_rows;

  __device__ explicit Work(const Args& args) {
    const int tile = static_cast<int>(blockIdx.x) % args.tiles;
    const int block = static_cast<int>(blockIdx.x) / args.tiles;
    const int stream = static_cast<int>(blockIdx.y);
    const int head = stream % args.heads;
    keys = args.candidates.of(stream / args.heads, head / args.per_list);
    k_rows = args.rows[stream / args.per_kv];
    plane_row = args.planes ? head % args.per_kv * args.plane_rows : 0;
    list_head = args.planes ? head : head / args.per_kv;
    row0 = std::int64_t{stream} * args.share + tile * kTileHeads;
    rows = min(kTileHeads, args.share - tile * kTileHeads);
    begin = block * args.block_keys;
    end = min(begin + args.block_keys, static_cast<int>(keys.size));
    if (block == 0 && threadIdx.x < rows) args.length[row0 + threadIdx.x] = static_cast<std::int32_t>(keys.size);
  }

  /// Row of codes of the n-th candidate.
  __device__ std::int32_t row(int n) const { return plane_row + static_cast<std::int32_t>(k_rows.row(keys.key(n))); }
};

__device__ float element(const void* data, Dtype dtype, std::int64_t i) {
  if (dtype == Dtype::bf16) return static_cast<float>(static_cast<const bf16*>(data)[i]);
  if (dtype == Dtype::f16) return static_cast<float>(static_cast<const f16*>(data)[i]);
  return static_cast<const float*>(data)[i];
}

/// The kept channels of a block's query heads; zero for heads that are not there.
struct Queries {
  float q[kTileHeads][kMaxChannels];
  float sums[kTileHeads];     // Σ q, times the softmax scale
  float largest[kTileHeads];  // |q|

  __device__ void load(const Args& args, const Work& work, int channels) {
    for (int e = threadIdx.x; e < kTileHeads * channels; e += kThreads) {
      const int head = e / channels;
      const int n = e % channels;
      const int c = args.channel ? args.channel[work.list_head * channels + n] : n;
      q[head][n] = head < work.rows ? element(args.q, args.dtype, (work.row0 + head) * args.head_dim + c) : 0.0f;
    }
    __syncthreads();
    for (int head = threadIdx.x / 32; head < kTileHeads; head += kWarps) {
      float sum = 0.0f;
      float most = 0.0f;
      for (int n = threadIdx.x % 32; n < channels; n += 32) {
        sum += q[head][n];
        most = fmaxf(most, fabsf(q[head][n]));
      }
#pragma unroll
      for (int offset = 16; offset > 0; offset /= 2) {
        sum += __shfl_xor_sync(kWarpMask, sum, offset);
        most = fmaxf(most, __shfl_xor_sync(kWarpMask, most, offset));
      }
      if (threadIdx.x % 32 == 0) {
        sums[head] = sum * args.scale;
        largest[head] = most;
      }
    }
    __syncthreads();
  }

  /// The power of two that brings q to at most 2^15, the top of f16. Its elements stay exact down to 2^-28 of the
  /// largest.
  __device__ int exponent(int head) const { return largest[head] > 0.0f ? 14 - ilogbf(largest[head]) : 0; }
};

/// Words of one row that a lane holds.
template <int kWords>
struct RowPart {
  static constexpr int kVector = kWords < 4 ? kWords : 4;
  std::uint32_t words[kWords];
  std::uint32_t range;

  /// Place in the row of word w of the lane that is number t of its four.
  __device__ static int place(int t, int w) { return (w / kVector * 4 + t) * kVector + w % kVector; }

  template <bool kRanges>
  __device__ void load(const Args& args, std::int32_t row, int t) {
    struct alignas(kVector * 4) Vector {
      std::uint32_t words[kVector];
    };
    const auto* source = args.codes + std::int64_t{row} * (kWords * 16);
#pragma unroll
    for (int w = 0; w < kWords; w += kVector) {
      const Vector vector = *reinterpret_cast<const Vector*>(source + place(t, w) * 4);
#pragma unroll
      for (int i = 0; i < kVector; ++i) words[w + i] = vector.words[i];
    }
    if constexpr (kRanges) range = args.ranges[row];
  }
};

// A block owns a run of keys of one stream and up to 8 of its query heads, a warp every fourth run of 32 keys (16 where
// a lane holds more than 4 words of a row). Lane (g, t) loads part t of the rows of 4 (2) consecutive keys, rows g and
// g + 8 of each 16×8 product, and ends up with their scores for heads 2t and 2t + 1, which it writes as one vector.
// Each row of codes is read once per 8 query heads, each score written once; the next step's rows are under way while
// this one is multiplied. T is the type of both operands: f16 for codes, the type of K for channels kept as they are.
// Shared memory: q. Shapes: q of f16 and bf16; rows of 4 · kWords words.
// Floor: codes and ranges of the scored keys read, scores written. Measured on an H200, 32 query and 8 KV heads, 128
// channels in 4 bits, in fractions of the time that these bytes take at the HBM read rate: every key of 1M tokens 0.74
// (206 us), of 64 x 32k 0.80 (379 us), of 128k 0.52 (36 us); in pages of 16 keys 0.71, 0.76 and 0.53. 64 x 8192
// candidates per query head: in pages 0.73, as tokens 0.67, as tokens per KV head 0.42. In 8 bits 0.84 and 0.90, in 2
// bits 0.57 and 0.60 (1M, 64 x 32k), where instructions are the limit; rows of 16 bytes 0.49 to 0.76.
template <typename T, int kBits, int kWords>
__global__ __launch_bounds__(kThreads, kWords > 8 ? 4 : kBlocksPerSm) void quantized_scores_kernel(
    const __grid_constant__ Args args) {
  constexpr int kCodes = kCodesPerWord<kBits>;
  constexpr int kPairs = kWords * kCodes / 2;  // of channels, per lane
  constexpr int kSteps = (kPairs + 1) / 2;     // of 16 channels, over 4 lanes
  constexpr int kTiles = kWords > 4 ? 1 : 2;   // products of 16 keys
  constexpr int kKeys = 2 * kTiles;            // of a lane
  constexpr int kStepKeys = 8 * kKeys;

  const Work work(args);
  if (work.begin >= work.end) return;
  __shared__ Queries queries;
  queries.load(args, work, 4 * kWords * kCodes);
  const int lane = threadIdx.x % 32;
  const int g = lane / 4;
  const int t = lane % 4;

  std::uint32_t q[kSteps][2];  // pairs of channels of head g
  const int q_exponent = kBits == 16 ? 0 : queries.exponent(g);
#pragma unroll
  for (int pair = 0; pair < 2 * kSteps; ++pair) {
    const int i = pair % (kCodes / 2);
    const int first = RowPart<kWords>::place(t, pair / (kCodes / 2)) * kCodes + i;
    const float factor = code_factor<kBits>(i);
    q[pair / 2][pair % 2] = pair < kPairs ? pack<T>(ldexpf(queries.q[g][first], q_exponent) * factor,
                                                    ldexpf(queries.q[g][first + kCodes / 2], q_exponent) * factor)
                                          : 0;
  }
  float sums[2];
  float scales[2];  // what turns a sum of products into a score
#pragma unroll
  for (int head = 0; head < 2; ++head) {
    sums[head] = queries.sums[2 * t + head];
    scales[head] = kBits == 16 ? args.scale : ldexpf(args.scale, 24 - queries.exponent(2 * t + head));
  }

  // A row number is worked out by one lane, two steps ahead: it may hang on a list and on a page table.
  constexpr int kStride = kWarps * kStepKeys;
  const int first = work.begin + static_cast<int>(threadIdx.x) / 32 * kStepKeys;
  const auto row_of_lane = [&](int step_first) { return work.row(min(step_first + lane % kStepKeys, work.end - 1)); };
  RowPart<kWords> next[kKeys];
  const auto load_step = [&](std::int32_t lane_row) {
#pragma unroll
    for (int m = 0; m < kKeys; ++m)
      next[m].template load<kBits != 16>(args, __shfl_sync(kWarpMask, lane_row, g * kKeys + m), t);
  };
  load_step(row_of_lane(first));
  std::int32_t lane_row = row_of_lane(first + kStride);
  float* const target = args.scores + (work.row0 + 2 * t) * args.stride + g * kKeys;
  const bool vectors = args.stride % kKeys == 0;

#pragma unroll 2
  for (int n = first; n < work.end; n += kStride) {
    RowPart<kWords> parts[kKeys];
#pragma unroll
    for (int m = 0; m < kKeys; ++m) parts[m] = next[m];
    load_step(lane_row);
    lane_row = row_of_lane(n + 2 * kStride);

    alignas(16) float score[2][kKeys];  // [head][key]
#pragma unroll
    for (int tile = 0; tile < kTiles; ++tile) {
      float sum[4] = {};
#pragma unroll
      for (int s = 0; s < kSteps; ++s) {
        std::uint32_t a[4] = {};
#pragma unroll
        for (int i = 0; i < 2; ++i) {
          const int pair = 2 * s + i;
          if (pair >= kPairs) continue;
          const int word = pair / (kCodes / 2);
          a[2 * i] = code_pair<kBits>(parts[2 * tile].words[word], pair % (kCodes / 2));
          a[2 * i + 1] = code_pair<kBits>(parts[2 * tile + 1].words[word], pair % (kCodes / 2));
        }
        mma<T>(sum, a, q[s][0], q[s][1]);
      }
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const int key = 2 * tile + half;
#pragma unroll
        for (int head = 0; head < 2; ++head) {
          score[head][key] = sum[2 * half + head] * scales[head];
          if constexpr (kBits != 16) {
            const __half2 range = reinterpret_cast<const __half2&>(parts[key].range);
            score[head][key] = fmaf(__low2float(range), score[head][key], __high2float(range) * sums[head]);
          }
        }
      }
    }
    const int left = work.end - n - g * kKeys;  // of this lane's keys and those behind them
#pragma unroll
    for (int head = 0; head < 2; ++head) {
      if (2 * t + head >= work.rows) continue;
      struct alignas(kKeys * 4) Vector {
        float values[kKeys];
      };
      float* const own = target + head * args.stride + n;
      if (vectors && left >= kKeys) {
        *reinterpret_cast<Vector*>(own) = reinterpret_cast<const Vector&>(score[head]);
      } else {
#pragma unroll
        for (int m = 0; m < kKeys; ++m)
          if (m < left) own[m] = score[head][m];
      }
    }
  }
}

// f32 on CUDA cores, which have exact products of any element and code: a thread owns one key at a time.
// Reads a row of codes once per 8 query heads; writes each score once. Shared memory: q.
template <int kBits>
__global__ __launch_bounds__(kThreads) void quantized_scores_f32_kernel(const __grid_constant__ Args args) {
  constexpr int kCodes = kBits == 16 ? 1 : 32 / kBits;  // of a word; an element of f32 is one
  const Work work(args);
  if (work.begin >= work.end) return;
  __shared__ Queries queries;
  queries.load(args, work, args.channels);
  for (int n = work.begin + static_cast<int>(threadIdx.x); n < work.end; n += kThreads) {
    const std::int64_t row = work.row(n);
    const auto* words = reinterpret_cast<const std::uint32_t*>(args.codes + row * args.row_bytes);
    float sum[kTileHeads] = {};
    for (int w = 0; w < args.row_bytes / 4; ++w) {
      const std::uint32_t word = words[w];
#pragma unroll
      for (int i = 0; i < kCodes; ++i) {
        const float code = kBits == 16 ? __uint_as_float(word)
                                       : static_cast<float>(word >> i * (kBits % 16) & ((1u << kBits % 16) - 1));
#pragma unroll
        for (int head = 0; head < kTileHeads; ++head)
          sum[head] = fmaf(queries.q[head][w * kCodes + i], code, sum[head]);
      }
    }
    float step = 1.0f;
    float min = 0.0f;
    if (kBits != 16) {
      const __half2 range = reinterpret_cast<const __half2&>(args.ranges[row]);
      step = __low2float(range);
      min = __high2float(range);
    }
#pragma unroll
    for (int head = 0; head < kTileHeads; ++head)
      if (head < work.rows)
        args.scores[(work.row0 + head) * args.stride + n] =
            fmaf(step, sum[head] * args.scale, min * queries.sums[head]);
  }
}

template <typename T, int kBits>
void launch_words(const Args& args, dim3 grid, cudaStream_t stream) {
  switch (args.row_bytes) {
    case 16:
      return quantized_scores_kernel<T, kBits, 1><<<grid, kThreads, 0, stream>>>(args);
    case 32:
      return quantized_scores_kernel<T, kBits, 2><<<grid, kThreads, 0, stream>>>(args);
    case 64:
      if constexpr (kBits >= 4) return quantized_scores_kernel<T, kBits, 4><<<grid, kThreads, 0, stream>>>(args);
      break;
    case 128:
      if constexpr (kBits >= 8) return quantized_scores_kernel<T, kBits, 8><<<grid, kThreads, 0, stream>>>(args);
      break;
    case 256:
      if constexpr (kBits == 16) return quantized_scores_kernel<T, kBits, 16><<<grid, kThreads, 0, stream>>>(args);
      break;
  }
}

void launch(const Args& args, int bits, dim3 grid, cudaStream_t stream) {
  switch (bits) {
    case 2:
      return launch_words<f16, 2>(args, grid, stream);
    case 4:
      return launch_words<f16, 4>(args, grid, stream);
    case 8:
      return launch_words<f16, 8>(args, grid, stream);
    default:
      if (args.dtype == Dtype::bf16) return launch_words<bf16, 16>(args, grid, stream);
      return launch_words<f16, 16>(args, grid, stream);
  }
}

void launch_f32(const Args& args, int bits, dim3 grid, cudaStream_t stream) {
  switch (bits) {
    case 2:
      return quantized_scores_f32_kernel<2><<<grid, kThreads, 0, stream>>>(args);
    case 4:
      return quantized_scores_f32_kernel<4><<<grid, kThreads, 0, stream>>>(args);
    case 8:
      return quantized_scores_f32_kernel<8><<<grid, kThreads, 0, stream>>>(args);
    default:
      return quantized_scores_f32_kernel<16><<<grid, kThreads, 0, stream>>>(args);
  }
}

/// Keys of a block: few enough that the last blocks do not hold up the others, and where there are not many keys, as
/// many as give every multiprocessor of an H200 what it can hold at once and no block more.
int block_keys(std::int64_t streams, std::int64_t stride) {
  constexpr std::int64_t kAtOnce = kBlocksPerSm * 132;
  constexpr std::int64_t kLeast = 2 * kThreads;
  constexpr std::int64_t kMost = 16 * kThreads;
  const std::int64_t blocks = std::max<std::int64_t>(kAtOnce / streams, 1);  // of a stream
  const std::int64_t keys = (stride + blocks - 1) / blocks;
  return static_cast<int>(std::clamp((keys + kThreads - 1) / kThreads * kThreads, kLeast, kMost));
}

}  // namespace

void quantized_scores(const AttentionInputs& in, const QuantizedKeys& keys, const CandidateLists& candidates,
                      const Scores& scores, std::int32_t* length, void* stream) {
  const Shape& shape = in.shape;
  if (keys.channels > kMaxChannels)
    throw InputError("select::cuda quantized_scores: expected at most 128 channels, found " +
                     std::to_string(keys.channels));
  if (keys.heads / shape.kv_heads * keys.rows > std::numeric_limits<std::int32_t>::max())
    throw InputError("select::cuda quantized_scores: expected fewer than 2^31 rows of codes, found " +
                     std::to_string(keys.heads / shape.kv_heads * keys.rows));
  const std::int64_t heads = std::max(keys.heads, candidates.heads());
  const auto share = static_cast<int>(shape.q_heads / heads);
  const Args args{.q = in.q,
                  .dtype = shape.dtype,
                  .codes = keys.codes,
                  .ranges = reinterpret_cast<const std::uint32_t*>(keys.ranges),
                  .channel = keys.channel,
                  .scores = scores.data,
                  .length = length,
                  .rows = HeadRows::of(in),
                  .candidates = candidates,
                  .stride = scores.stride,
                  .plane_rows = static_cast<std::int32_t>(keys.rows),
                  .row_bytes = static_cast<int>(row_bytes(keys, shape.dtype)),
                  .head_dim = static_cast<int>(shape.head_dim),
                  .channels = static_cast<int>(keys.channels),
                  .heads = static_cast<int>(heads),
                  .share = share,
                  .per_kv = static_cast<int>(heads / shape.kv_heads),
                  .per_list = static_cast<int>(heads / candidates.heads()),
                  .planes = keys.heads != shape.kv_heads,
                  .tiles = (share + kTileHeads - 1) / kTileHeads,
                  .block_keys = block_keys(shape.batch * heads, scores.stride),
                  .scale = in.scale};
  const std::int64_t blocks = (scores.stride + args.block_keys - 1) / args.block_keys;
  const dim3 grid(static_cast<unsigned>(blocks * args.tiles), static_cast<unsigned>(shape.batch * heads));
  auto* const cuda_stream = static_cast<cudaStream_t>(stream);
  if (shape.dtype == Dtype::f32)
    launch_f32(args, keys.bits, grid, cuda_stream);
  else
    launch(args, keys.bits, grid, cuda_stream);
  cuda_check(cudaGetLastError(), "select::cuda quantized_scores");
}

}  // namespace attnscope::select::cuda
