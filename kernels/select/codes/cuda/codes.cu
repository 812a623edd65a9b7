// SPDX-License-Identifier: Apache-2.0
// Keys chosen by their product codes. The score of a key depends on its code alone, so that one block per KV head ranks
// the codes with the number of keys that have each, and the keys themselves are only looked up.
#include <cmath>

#include "harness/device/cuda_check.hpp"
#include "kernels/attend/cuda/mma.cuh"
#include "kernels/select/cuda/radix.cuh"
#include "kernels/select/product_codes.hpp"

namespace attnscope::select {
namespace {

using cuda::kAllLanes;
using cuda::kThreads;
using cuda::kWarps;

constexpr int kMaxCodes = 1 << CodePlan::kMaxCodeBits;
constexpr int kMaxHeadDim = 128;
constexpr int kOwnCodes = kMaxCodes / kThreads;
constexpr int kOwnKeys = 32;  // consecutive keys of a thread
constexpr int kChunkKeys = 256 * kOwnKeys;

struct EncodeArgs {
  CodePlan plan;
  const std::int32_t* __restrict__ assignment;  // [heads, parts, keys]
  std::uint16_t* __restrict__ codes;
  std::int32_t* __restrict__ counts;  // zeroed
};

// A block owns 8192 keys of one head, a thread every 512th of them; counts are added up in shared memory first.
__global__ __launch_bounds__(kThreads) void encode_kernel(const __grid_constant__ EncodeArgs args) {
  __shared__ std::int32_t counts[kMaxCodes];
  const CodePlan& plan = args.plan;
  const std::int64_t head = blockIdx.y;
  for (int code = threadIdx.x; code < kMaxCodes; code += kThreads) counts[code] = 0;
  __syncthreads();
  const std::int64_t begin = std::int64_t{blockIdx.x} * kChunkKeys;
  const std::int64_t end = min(begin + kChunkKeys, plan.keys);
  for (std::int64_t key = begin + threadIdx.x; key < end; key += kThreads) {
    int code = 0;
    for (int part = 0; part < plan.parts; ++part)
      code |= args.assignment[(head * plan.parts + part) * plan.keys + key] << part * plan.bits;
    args.codes[head * plan.keys + key] = static_cast<std::uint16_t>(code);
    if (key < plan.candidates) atomicAdd(&counts[code], 1);
  }
  __syncthreads();
  for (int code = threadIdx.x; code < plan.codes(); code += kThreads)
    if (counts[code]) atomicAdd(args.counts + head * plan.codes() + code, counts[code]);
}

struct RankArgs {
  CodePlan plan;
  const void* __restrict__ q;
  const void* __restrict__ centroids;
  const std::int32_t* __restrict__ counts;
  std::uint8_t* __restrict__ marks;
  std::int32_t* __restrict__ ties;
  int head_dim;
  int group;
  float scale;
};

/// `combine` of one value per thread, in a fixed order; valid in every thread.
template <typename Combine>
__device__ float block_reduce(float value, Combine combine) {
  __shared__ float partial[kWarps];
#pragma unroll
  for (int offset = 16; offset > 0; offset /= 2) value = combine(value, __shfl_xor_sync(kAllLanes, value, offset));
  if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = value;
  __syncthreads();
  value = partial[0];
#pragma unroll
  for (int w = 1; w < kWarps; ++w) value = combine(value, partial[w]);
  __syncthreads();
  return value;
}

/// The largest `choose` of the scores, each as often as its count.
__device__ cuda::Threshold threshold_of(const float (&scores)[kOwnCodes], const int (&counts)[kOwnCodes],
                                        std::int64_t choose, cuda::Histogram<false>& histogram) {
  const auto step = [&]<int kDigit>(std::integral_constant<int, kDigit>, const cuda::Descent& from) {
    histogram.clear();
    __syncthreads();
    constexpr int kAbove = cuda::digit_shift(kDigit) + cuda::digit_bits(kDigit);
#pragma unroll
    for (int e = 0; e < kOwnCodes; ++e) {
      const std::uint32_t key = cuda::ordered_key(scores[e]);
      if (counts[e] > 0 && (kDigit == 0 || key >> (kAbove % 32) == from.prefix))
        histogram.add(key >> cuda::digit_shift(kDigit) & ((1 << cuda::digit_bits(kDigit)) - 1), counts[e]);
    }
    __syncthreads();
    return cuda::descend<kDigit>(histogram, from.prefix, [&](std::uint64_t) {
      return kDigit == 0 ? static_cast<std::uint64_t>(choose) : from.wanted;
    });
  };
  const cuda::Descent first = step(std::integral_constant<int, 0>{}, cuda::Descent{});
  const cuda::Descent second = step(std::integral_constant<int, 1>{}, first);
  const cuda::Descent third = step(std::integral_constant<int, 2>{}, second);
  return {third.prefix, static_cast<int>(third.wanted)};
}

// A block owns one KV head, a thread eight codes. Reads the head's centroids once per query head of the group (from L1
// or L2) and the counts once; writes a byte per code. Shared memory: q, one table entry per part and centroid, and the
// histogram of the threshold. Floor: nothing that grows with the context; what it takes is the latency of its steps, 44
// us for four query heads on an H200.
template <typename T>
__global__ __launch_bounds__(kThreads) void rank_kernel(const __grid_constant__ RankArgs args) {
  __shared__ union {
    float table[kMaxCodes];  // [parts, 2^bits]
    cuda::Histogram<false> histogram;
  } scratch;
  __shared__ float q[kMaxHeadDim];
  const CodePlan& plan = args.plan;
  const std::int64_t head = blockIdx.x;
  const int codes = static_cast<int>(plan.codes());
  const int centroids = static_cast<int>(plan.centroids());
  const int parts = static_cast<int>(plan.parts);
  const int dim = args.head_dim / parts;

  int counts[kOwnCodes];
  float sums[kOwnCodes] = {};
#pragma unroll
  for (int e = 0; e < kOwnCodes; ++e) {
    const int code = e * kThreads + static_cast<int>(threadIdx.x);
    counts[e] = code < codes ? args.counts[head * codes + code] : 0;
  }
  for (int g = 0; g < args.group; ++g) {
    __syncthreads();
    const T* row = static_cast<const T*>(args.q) + (head * args.group + g) * args.head_dim;
    for (int c = threadIdx.x; c < args.head_dim; c += kThreads) q[c] = static_cast<float>(row[c]) * args.scale;
    __syncthreads();
    for (int entry = threadIdx.x; entry < parts * centroids; entry += kThreads) {
      const T* centroid = static_cast<const T*>(args.centroids) + (head * parts * centroids + entry) * dim;
      const float* part = q + entry / centroids * dim;
      float sum = 0.0f;
#pragma unroll 8
      for (int c = 0; c < dim; ++c) sum = fmaf(part[c], static_cast<float>(centroid[c]), sum);
      scratch.table[entry] = sum;
    }
    __syncthreads();

    float weight[kOwnCodes];
    float maximum = -INFINITY;
#pragma unroll
    for (int e = 0; e < kOwnCodes; ++e) {
      const int code = e * kThreads + static_cast<int>(threadIdx.x);
      weight[e] = 0.0f;
      if (counts[e] == 0) continue;
      for (int part = 0; part < parts; ++part)
        weight[e] += scratch.table[part * centroids + (code >> part * plan.bits & (centroids - 1))];
      maximum = fmaxf(maximum, weight[e]);
    }
    maximum = block_reduce(maximum, [](float x, float y) { return fmaxf(x, y); });
    float total = 0.0f;
#pragma unroll
    for (int e = 0; e < kOwnCodes; ++e) {
      weight[e] = counts[e] > 0 ? expf(weight[e] - maximum) : 0.0f;
      total = fmaf(static_cast<float>(counts[e]), weight[e], total);
    }
    total = block_reduce(total, [](float x, float y) { return x + y; });
#pragma unroll
    for (int e = 0; e < kOwnCodes; ++e) sums[e] += weight[e] / total;
  }

  const cuda::Threshold threshold =
      plan.choose > 0 ? threshold_of(sums, counts, plan.choose, scratch.histogram) : cuda::Threshold{~0u, 0};
#pragma unroll
  for (int e = 0; e < kOwnCodes; ++e) {
    const int code = e * kThreads + static_cast<int>(threadIdx.x);
    const std::uint32_t key = cuda::ordered_key(sums[e]);
    if (code < codes) args.marks[head * codes + code] = key > threshold.key ? 2 : key == threshold.key ? 1 : 0;
  }
  if (threadIdx.x == 0) args.ties[head] = threshold.ties;
}

struct ListArgs {
  CodePlan plan;
  const std::uint16_t* __restrict__ codes;
  const std::uint8_t* __restrict__ marks;
  const std::int32_t* __restrict__ ties;
  int2* __restrict__ tallies;  // [heads, chunks], keys marked 2 and marked 1
  std::int32_t* __restrict__ indices;
  std::int64_t capacity;
  std::int64_t at;
};

constexpr int kListThreads = kChunkKeys / kOwnKeys;
constexpr int kListWarps = kListThreads / 32;

__device__ int2 operator+(int2 x, int2 y) { return {x.x + y.x, x.y + y.y}; }

/// The marks of this thread's 32 keys, a bit each.
struct OwnMarks {
  std::uint32_t all = 0;   // marked 2
  std::uint32_t some = 0;  // marked 1

  __device__ OwnMarks(const ListArgs& args, const std::uint8_t* marks, std::int64_t head) {
    const std::int64_t begin = std::int64_t{blockIdx.x} * kChunkKeys + threadIdx.x * kOwnKeys;
    const std::uint16_t* codes = args.codes + head * args.plan.keys + begin;
    const auto count = static_cast<int>(min(std::int64_t{kOwnKeys}, args.plan.candidates - begin));
    const bool aligned = args.plan.keys % 8 == 0;  // rows begin on 16-byte boundaries
#pragma unroll
    for (int first = 0; first < kOwnKeys; first += 8) {
      union {
        uint4 pack;
        std::uint16_t code[8];
      } own;
      if (aligned && first + 8 <= count) {
        own.pack = *reinterpret_cast<const uint4*>(codes + first);
      } else {
#pragma unroll
        for (int e = 0; e < 8; ++e) own.code[e] = first + e < count ? codes[first + e] : 0;
      }
#pragma unroll
      for (int e = 0; e < 8; ++e) {
        const std::uint32_t mark = first + e < count ? marks[own.code[e]] : 0;
        all |= (mark >> 1) << (first + e);
        some |= (mark & 1) << (first + e);
      }
    }
  }
  __device__ int2 tally() const { return {__popc(all), __popc(some)}; }
};

/// Sum of `own` over the threads before this one; `total` receives that over all threads.
__device__ int2 sum_before(int2 own, int2& total) {
  __shared__ int2 warp_sums[kListWarps];
  const int lane = threadIdx.x % 32;
  int2 inclusive = own;
#pragma unroll
  for (int offset = 1; offset < 32; offset *= 2) {
    const int2 lower = {__shfl_up_sync(kAllLanes, inclusive.x, offset), __shfl_up_sync(kAllLanes, inclusive.y, offset)};
    if (lane >= offset) inclusive = inclusive + lower;
  }
  if (lane == 31) warp_sums[threadIdx.x / 32] = inclusive;
  __syncthreads();
  int2 before = {inclusive.x - own.x, inclusive.y - own.y};
  total = {0, 0};
#pragma unroll
  for (int w = 0; w < kListWarps; ++w) {
    if (w < static_cast<int>(threadIdx.x) / 32) before = before + warp_sums[w];
    total = total + warp_sums[w];
  }
  __syncthreads();
  return before;
}

const __device__ std::uint8_t* load_marks(const ListArgs& args, std::int64_t head, std::uint8_t* shared) {
  for (int code = threadIdx.x; code < args.plan.codes(); code += kListThreads)
    shared[code] = args.marks[head * args.plan.codes() + code];
  __syncthreads();
  return shared;
}

// Both kernels: a block owns 8192 keys of one head, a thread 32 consecutive ones. Each reads the codes once; the second
// also the tallies of the chunks before its own, and writes the chosen keys. Shared memory: the marks.
// Floor: two bytes per key and KV head, read twice here. Measured on an H200, 8 heads of a million keys: 42 us, 0.1 of
// one read.
__global__ __launch_bounds__(kListThreads) void tally_kernel(const __grid_constant__ ListArgs args) {
  __shared__ std::uint8_t shared_marks[kMaxCodes];
  const std::int64_t head = blockIdx.y;
  int2 total;
  sum_before(OwnMarks(args, load_marks(args, head, shared_marks), head).tally(), total);
  if (threadIdx.x == 0) args.tallies[head * gridDim.x + blockIdx.x] = total;
}

__global__ __launch_bounds__(kListThreads) void list_kernel(const __grid_constant__ ListArgs args) {
  __shared__ std::uint8_t shared_marks[kMaxCodes];
  const std::int64_t head = blockIdx.y;
  const OwnMarks own(args, load_marks(args, head, shared_marks), head);
  int2 earlier = {0, 0};
  for (unsigned chunk = threadIdx.x; chunk < blockIdx.x; chunk += kListThreads)
    earlier = earlier + args.tallies[head * gridDim.x + chunk];
  int2 before_chunk;
  sum_before(earlier, before_chunk);
  int2 total;
  const int2 before = before_chunk + sum_before(own.tally(), total);

  const int ties = args.ties[head];
  int place = before.x + min(before.y, ties);
  int tie = before.y;
  std::int32_t* out = args.indices + head * args.capacity + args.at;
  const std::int64_t begin = std::int64_t{blockIdx.x} * kChunkKeys + threadIdx.x * kOwnKeys;
  for (std::uint32_t left = own.all | own.some; left; left &= left - 1) {
    const int bit = __ffs(static_cast<int>(left)) - 1;
    if (own.some >> bit & 1 && tie++ >= ties) continue;
    out[place++] = static_cast<std::int32_t>(args.plan.first + begin + bit);
  }
}

unsigned chunks_of(std::int64_t keys) { return static_cast<unsigned>((keys + kChunkKeys - 1) / kChunkKeys); }

class CudaCodeEngine final : public CodeEngine {
 public:
  explicit CudaCodeEngine(void* stream) : stream_(static_cast<cudaStream_t>(stream)) {}

  void encode(const CodePlan& plan, std::int64_t heads, const ProductCodes& index) const override {
    cuda_check(cudaMemsetAsync(index.counts.data(), 0, index.counts.bytes(), stream_), "select::cuda encode: counts");
    const EncodeArgs args{plan, index.assignment.as<std::int32_t>(), index.codes.as<std::uint16_t>(),
                          index.counts.as<std::int32_t>()};
    encode_kernel<<<dim3(chunks_of(plan.keys), static_cast<unsigned>(heads)), kThreads, 0, stream_>>>(args);
    cuda_check(cudaGetLastError(), "select::cuda encode");
  }

  void rank(const AttentionInputs& in, const CodePlan& plan, const ProductCodes& index, std::uint8_t* marks,
            std::int32_t* ties) const override {
    const Shape& shape = in.shape;
    const RankArgs args{.plan = plan,
                        .q = in.q,
                        .centroids = index.centroids.data(),
                        .counts = index.counts.as<std::int32_t>(),
                        .marks = marks,
                        .ties = ties,
                        .head_dim = static_cast<int>(shape.head_dim),
                        .group = static_cast<int>(shape.group()),
                        .scale = in.scale};
    const auto heads = static_cast<unsigned>(shape.batch * shape.kv_heads);
    if (shape.dtype == Dtype::f32)
      rank_kernel<float><<<heads, kThreads, 0, stream_>>>(args);
    else if (shape.dtype == Dtype::f16)
      rank_kernel<device::f16><<<heads, kThreads, 0, stream_>>>(args);
    else
      rank_kernel<device::bf16><<<heads, kThreads, 0, stream_>>>(args);
    cuda_check(cudaGetLastError(), "select::cuda rank codes");
  }

  std::size_t list_workspace(const CodePlan& plan, std::int64_t heads) const override {
    return static_cast<std::size_t>(heads * chunks_of(plan.candidates)) * sizeof(int2);
  }

  void list(const CodePlan& plan, std::int64_t heads, const ProductCodes& index, const std::uint8_t* marks,
            const std::int32_t* ties, const Lists& lists, std::int64_t at, void* workspace) const override {
    const ListArgs args{.plan = plan,
                        .codes = index.codes.as<std::uint16_t>(),
                        .marks = marks,
                        .ties = ties,
                        .tallies = static_cast<int2*>(workspace),
                        .indices = lists.indices,
                        .capacity = lists.capacity,
                        .at = at};
    const dim3 grid(chunks_of(plan.candidates), static_cast<unsigned>(heads));
    tally_kernel<<<grid, kListThreads, 0, stream_>>>(args);
    list_kernel<<<grid, kListThreads, 0, stream_>>>(args);
    cuda_check(cudaGetLastError(), "select::cuda list by code");
  }

 private:
  const cudaStream_t stream_;
};

}  // namespace

std::unique_ptr<const CodeEngine> make_cuda_code_engine(void* stream) {
  return std::make_unique<CudaCodeEngine>(stream);
}

}  // namespace attnscope::select
