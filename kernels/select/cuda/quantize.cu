// SPDX-License-Identifier: Apache-2.0
// Quantised keys, rounding as quantized.hpp says.
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <algorithm>
#include <bit>

#include "harness/device/cuda_check.hpp"
#include "kernels/select/cuda/head_rows.cuh"
#include "kernels/select/engines.hpp"

namespace attnscope::select::cuda {
namespace {

constexpr int kThreads = 256;
constexpr unsigned kAllLanes = 0xffffffffu;

struct Args {
  const void* __restrict__ k;
  HeadRows rows;
  std::int64_t kv_heads;
  std::int64_t head_dim;
  const std::int32_t* __restrict__ channel;
  int channels;
  int planes;
  std::int64_t plane_rows;
  void* __restrict__ codes;
  std::uint32_t* __restrict__ ranges;
  int lanes_log2;  // of a key: a word of codes each, or an element where channels are kept as they are

  /// The key of this thread; head blockIdx.y, counted over the batch.
  __device__ std::int64_t key() const { return (std::int64_t{blockIdx.x} * kThreads + threadIdx.x) >> lanes_log2; }
  /// The channel list of one plane of KV head `head`, counted over the batch; null for all channels.
  __device__ auto list(std::int64_t head, int plane) const -> const std::int32_t* {
    return channel ? channel + (head % kv_heads * planes + plane) * channels : nullptr;
  }
};

/// Channels [first, first + kCount) of a key, or those that `list` names there.
template <int kCount, typename T>
__device__ void load_channels(const T* k, const std::int32_t* list, int first, float (&x)[kCount]) {
  if (list != nullptr) {
#pragma unroll
    for (int i = 0; i < kCount; ++i) x[i] = static_cast<float>(k[list[first + i]]);
    return;
  }
  struct alignas(std::min<std::size_t>(16, kCount * sizeof(T))) Chunk {
    T values[kCount];
  };
  const Chunk chunk = *reinterpret_cast<const Chunk*>(k + first);
#pragma unroll
  for (int i = 0; i < kCount; ++i) x[i] = static_cast<float>(chunk.values[i]);
}

/// The quotient x / step of numbers ≥ 0, at most 255 and a little, rounded to a whole number. A product with the
/// reciprocal is within 2^-13 of it, so that only a quotient near the middle of two whole numbers needs to be divided.
__device__ float steps_in(float x, float step, float per_step) {
  const float near = __fmul_rn(x, per_step);
  const float whole = rintf(near);
  return fabsf(fabsf(near - whole) - 0.5f) > 0x1p-12f ? whole : rintf(__fdiv_rn(x, step));
}

// A lane owns one 32-bit word of codes, 4 to 32 neighbouring lanes one key; they share its range by shuffles.
// Reads K once (per plane: through the channel list) and writes each word once. Shapes: any that quantized.hpp allows.
// Floor: K read and the copy written. Measured on an H200, 8 KV heads of 1M tokens: 4 bits in 1.9 ms, 0.31 of the
// floor, with three 64-bit divisions per thread that have gone since; instructions were the limit.
template <typename T, int kBits>
__global__ __launch_bounds__(kThreads) void quantize_kernel(const __grid_constant__ Args args) {
  constexpr int kCodes = 32 / kBits;
  constexpr float kLevels = (1 << kBits) - 1;
  const int words = 1 << args.lanes_log2;
  const int word = static_cast<int>(threadIdx.x) & (words - 1);
  const std::int64_t head = blockIdx.y;
  const std::int64_t row =
      args.rows[head].row(min(args.key(), args.rows.kv_len - 1));  // idle lanes repeat the last key
  const T* k = static_cast<const T*>(args.k) + row * args.head_dim;
  for (int plane = 0; plane < args.planes; ++plane) {
    float x[kCodes];
    load_channels(k, args.list(head, plane), word * kCodes, x);
    float low = x[0];
    float high = x[0];
#pragma unroll
    for (int i = 1; i < kCodes; ++i) {
      low = fminf(low, x[i]);
      high = fmaxf(high, x[i]);
    }
    for (int offset = words / 2; offset > 0; offset /= 2) {
      low = fminf(low, __shfl_xor_sync(kAllLanes, low, offset));
      high = fmaxf(high, __shfl_xor_sync(kAllLanes, high, offset));
    }
    low = __fadd_rn(low, 0.0f);  // −0 becomes +0
    const float step = __fdiv_rn(fmaxf(__fsub_rn(high, low), 1e-9f), kLevels);
    const float per_step = __fdiv_rn(1.0f, step);
    std::uint32_t codes = 0;
#pragma unroll
    for (int i = 0; i < kCodes; ++i)
      codes |= static_cast<std::uint32_t>(fminf(steps_in(__fsub_rn(x[i], low), step, per_step), kLevels))
               << (i * kBits);
    const std::int64_t target = plane * args.plane_rows + row;
    static_cast<std::uint32_t*>(args.codes)[(target << args.lanes_log2) + word] = codes;
    if (word == 0)
      args.ranges[target] =
          __half_as_ushort(__float2half_rn(step)) | std::uint32_t{__half_as_ushort(__float2half_rn(low))} << 16;
  }
}

// Channels kept as they are: a thread owns one element of a row. Element: an unsigned integer of the element's size.
template <typename Element>
__global__ __launch_bounds__(kThreads) void copy_channels_kernel(const __grid_constant__ Args args) {
  const int n = static_cast<int>(threadIdx.x) & ((1 << args.lanes_log2) - 1);
  if (args.key() >= args.rows.kv_len) return;
  const std::int64_t head = blockIdx.y;
  const std::int64_t row = args.rows[head].row(args.key());
  for (int plane = 0; plane < args.planes; ++plane) {
    const std::int32_t* list = args.list(head, plane);
    static_cast<Element*>(args.codes)[((plane * args.plane_rows + row) << args.lanes_log2) + n] =
        static_cast<const Element*>(args.k)[row * args.head_dim + (list ? list[n] : n)];
  }
}

template <typename T>
void quantize(const Args& args, int bits, dim3 grid, cudaStream_t stream) {
  if (bits == 2)
    quantize_kernel<T, 2><<<grid, kThreads, 0, stream>>>(args);
  else if (bits == 4)
    quantize_kernel<T, 4><<<grid, kThreads, 0, stream>>>(args);
  else
    quantize_kernel<T, 8><<<grid, kThreads, 0, stream>>>(args);
}

}  // namespace

void quantize_keys(const AttentionInputs& in, const QuantizedKeys& keys, void* stream) {
  const Shape& shape = in.shape;
  Args args{};
  args.k = in.k;
  args.rows = HeadRows::of(in);
  args.head_dim = shape.head_dim;
  args.channel = keys.channel;
  args.channels = static_cast<int>(keys.channels);
  args.planes = static_cast<int>(keys.heads / shape.kv_heads);
  args.plane_rows = keys.rows;
  args.codes = keys.codes;
  args.ranges = reinterpret_cast<std::uint32_t*>(keys.ranges);
  args.kv_heads = shape.kv_heads;
  const std::int64_t lanes = keys.bits == 16 ? keys.channels : row_bytes(keys, shape.dtype) / 4;
  args.lanes_log2 = std::countr_zero(static_cast<std::uint64_t>(lanes));
  const dim3 grid(static_cast<unsigned>((shape.kv_len * lanes + kThreads - 1) / kThreads),
                  static_cast<unsigned>(shape.batch * shape.kv_heads));
  auto* const cuda_stream = static_cast<cudaStream_t>(stream);
  if (keys.bits == 16 && shape.dtype == Dtype::f32)
    copy_channels_kernel<std::uint32_t><<<grid, kThreads, 0, cuda_stream>>>(args);
  else if (keys.bits == 16)
    copy_channels_kernel<std::uint16_t><<<grid, kThreads, 0, cuda_stream>>>(args);
  else if (shape.dtype == Dtype::f32)
    quantize<float>(args, keys.bits, grid, cuda_stream);
  else if (shape.dtype == Dtype::bf16)
    quantize<__nv_bfloat16>(args, keys.bits, grid, cuda_stream);
  else
    quantize<__half>(args, keys.bits, grid, cuda_stream);
  cuda_check(cudaGetLastError(), "select::cuda quantize_keys");
}

}  // namespace attnscope::select::cuda
