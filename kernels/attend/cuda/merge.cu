// SPDX-License-Identifier: Apache-2.0
// Merging finished results over disjoint keys by their LSE.
#include "harness/device/cuda_check.hpp"
#include "kernels/attend/cuda/launch.hpp"
#include "kernels/attend/cuda/output.cuh"

namespace attnscope::attend {
namespace {

using namespace device;

constexpr int kThreads = 256;

struct Args {
  const float4* o[kMostMergedParts];
  const float* lse[kMostMergedParts];
  int parts;
  AttentionOutputs out;
  std::int64_t rows;
};

// A thread owns four channels of one row. Reads each part's O and LSE once; writes O and LSE.
// Floor: (parts + 1) · (d + 1) elements per row.
template <typename T, int kHeadDim>
__global__ __launch_bounds__(kThreads) void merge_parts_kernel(const __grid_constant__ Args args) {
  constexpr int kLanes = kHeadDim / 4;
  const std::int64_t at = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  const std::int64_t row = at / kLanes;
  if (row >= args.rows) return;
  float maximum = -INFINITY;
  for (int p = 0; p < args.parts; ++p) maximum = fmaxf(maximum, args.lse[p][row]);
  float total = 0.0f;
  float4 sum{0.0f, 0.0f, 0.0f, 0.0f};
  for (int p = 0; p < args.parts; ++p) {
    const float lse = args.lse[p][row];
    if (lse == -INFINITY) continue;
    const float weight = expf(lse - maximum);
    const float4 x = args.o[p][at];
    total += weight;
    sum.x = fmaf(weight, x.x, sum.x);
    sum.y = fmaf(weight, x.y, sum.y);
    sum.z = fmaf(weight, x.z, sum.z);
    sum.w = fmaf(weight, x.w, sum.w);
  }
  const float factor = total > 0.0f ? 1.0f / total : 0.0f;
  const float value[4] = {sum.x * factor, sum.y * factor, sum.z * factor, sum.w * factor};
#pragma unroll
  for (int c = 0; c < 4; ++c) store<T>(args.out, at * 4 + c, value[c]);
  if (at % kLanes == 0) args.out.lse[row] = log_sum(maximum, total);
}

template <typename T>
void launch(const Args& args, std::int64_t head_dim, cudaStream_t stream) {
  const std::int64_t threads = args.rows * head_dim / 4;
  const auto blocks = static_cast<unsigned>((threads + kThreads - 1) / kThreads);
  if (head_dim == 64)
    merge_parts_kernel<T, 64><<<blocks, kThreads, 0, stream>>>(args);
  else
    merge_parts_kernel<T, 128><<<blocks, kThreads, 0, stream>>>(args);
  cuda_check(cudaGetLastError(), "attend::cuda_merge");
}

}  // namespace

void merge(const Shape& shape, std::span<const AttentionOutputs> parts, const AttentionOutputs& out,
           cudaStream_t stream) {
  Args args{};
  for (std::size_t p = 0; p < parts.size(); ++p) {
    args.o[p] = static_cast<const float4*>(parts[p].o);
    args.lse[p] = parts[p].lse;
  }
  args.parts = static_cast<int>(parts.size());
  args.out = out;
  args.rows = shape.rows();
  switch (shape.dtype) {
    case Dtype::f32:
      return launch<float>(args, shape.head_dim, stream);
    case Dtype::f16:
      return launch<f16>(args, shape.head_dim, stream);
    case Dtype::bf16:
      return launch<bf16>(args, shape.head_dim, stream);
  }
}

}  // namespace attnscope::attend
