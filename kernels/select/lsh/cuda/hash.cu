// SPDX-License-Identifier: Apache-2.0
// Codes: the signs of the products of vectors with all projections.
#include "harness/device/cuda_check.hpp"
#include "kernels/attend/cuda/cache.cuh"
#include "kernels/attend/cuda/mma.cuh"
#include "kernels/select/lsh/cuda/kernels.hpp"

namespace attnscope::select::cuda {
namespace {

using namespace device;

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / 32;
constexpr int kRowTiles = 4;  // of 16 vectors, of a warp
constexpr int kBlockVectors = kWarps * kRowTiles * 16;
constexpr int kStages = 3;

struct Args {
  HashArgs hash;
  const void* __restrict__ vectors;
  Cache cache;  // where vector n of a head lies
  std::int64_t first_head;
  std::int64_t first_vector;
  std::int64_t count;  // vectors of a head
  int groups;          // of tables, of a block
};

/// Bytes of one group of projections with its thresholds, as a block copies them.
constexpr int stage_bytes(int tiles, int head_dim) {
  return tiles * Columns::kTile * (head_dim * 2 + static_cast<int>(sizeof(float)));
}

// A block owns 512 vectors of one head and some groups of four tables, a warp 64 vectors: their fragments stay in
// registers while the projections stream through shared memory. Products are over channels, in whatever order:
// fragments hold the 16-byte chunks of a row as they are loaded, and lane_projections() has the same order. A lane
// collects the bits of its table in a register. The accumulators begin at −projection · centre, so signs are compared
// with zero. Reads K once and the projections once per block (L2); writes each code once. Shared memory: three groups
// of projections, 10 KB each at 10 bits of 128 channels (cp.async). Shapes: any; head_dim 64 or 128, f16 and bf16.
// Floor: 2 · head_dim · bits · tables FLOPs per vector. Measured on an H200 at (10, 150), head_dim 128, bf16: 0.42 of
// the matrix product rate in a million keys of 8 KV heads.
template <typename T, int kHeadDim>
__global__ __launch_bounds__(kThreads, 1) void hash_kernel(const __grid_constant__ Args args) {
  constexpr int kChunks = kHeadDim / 32;  // 16-byte chunks of a row, of a lane
  const Columns columns = args.hash.columns;
  const int tiles = columns.tiles();
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
  const int head = static_cast<int>(args.first_head + blockIdx.z);
  const int first_group = static_cast<int>(blockIdx.y) * args.groups;
  const int last_group = min(first_group + args.groups, columns.groups());
  const std::int64_t first = std::int64_t{blockIdx.x} * kBlockVectors + warp * kRowTiles * 16 + lane / 4;

  extern __shared__ __align__(16) unsigned char shared[];
  const int weight_bytes = tiles * Columns::kTile * kHeadDim * 2;
  const int stage = weight_bytes + tiles * Columns::kTile * static_cast<int>(sizeof(float));
  const auto* projections = static_cast<const unsigned char*>(args.hash.projections);
  const auto* thresholds = reinterpret_cast<const unsigned char*>(args.hash.thresholds + blockIdx.z * columns.count());
  const auto load_group = [&](int group) {
    const std::uint32_t target = shared_address(shared) + (group - first_group) % kStages * stage;
    for (int byte = static_cast<int>(threadIdx.x) * 16; byte < stage; byte += kThreads * 16) {
      const unsigned char* source =
          byte < weight_bytes ? projections + std::int64_t{group} * weight_bytes + byte
                              : thresholds + std::int64_t{group} * (stage - weight_bytes) + byte - weight_bytes;
      copy_async(target + byte, source, true);
    }
  };
#pragma unroll
  for (int ahead = 0; ahead < kStages - 1; ++ahead) {
    if (first_group + ahead < last_group) load_group(first_group + ahead);
    copy_commit();
  }

  const KvRows rows = args.cache.rows(head);
  uint4 a[kRowTiles][2][kChunks];
#pragma unroll
  for (int m = 0; m < kRowTiles; ++m)
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const std::int64_t vector = first + m * 16 + half * 8;
      const bool valid = vector < args.count;
      const auto* row = static_cast<const T*>(args.vectors) +
                        (valid ? rows.row(args.first_vector + vector) * kHeadDim : 0) + lane % 4 * 8;
#pragma unroll
      for (int s = 0; s < kChunks; ++s) a[m][half][s] = valid ? *reinterpret_cast<const uint4*>(row + s * 32) : uint4{};
    }

  for (int group = first_group; group < last_group; ++group) {
    copy_wait<kStages - 2>();
    __syncthreads();
    if (group + kStages - 1 < last_group) load_group(group + kStages - 1);
    copy_commit();

    const unsigned char* const staged = shared + (group - first_group) % kStages * stage;
    const auto* const b_lane = reinterpret_cast<const uint4*>(staged) + lane;
    const auto* const threshold = reinterpret_cast<const float2*>(staged + weight_bytes) + lane % 4;
    unsigned code[kRowTiles][2] = {};
    for (int tile = 0; tile < tiles; ++tile) {
      const float2 t = threshold[tile * (Columns::kTile / 2)];
      float c[kRowTiles][4];
#pragma unroll
      for (int m = 0; m < kRowTiles; ++m) {
        c[m][0] = c[m][2] = -t.x;
        c[m][1] = c[m][3] = -t.y;
      }
#pragma unroll
      for (int s = 0; s < kChunks; ++s) {
        const uint4 b = b_lane[(tile * kChunks + s) * 32];
#pragma unroll
        for (int m = 0; m < kRowTiles; ++m) {
          const uint4 low = a[m][0][s], high = a[m][1][s];
          const std::uint32_t even[4] = {low.x, high.x, low.y, high.y};
          const std::uint32_t odd[4] = {low.z, high.z, low.w, high.w};
          mma<T>(c[m], even, b.x, b.y);
          mma<T>(c[m], odd, b.z, b.w);
        }
      }
#pragma unroll
      for (int m = 0; m < kRowTiles; ++m)
#pragma unroll
        for (int half = 0; half < 2; ++half)
          code[m][half] |= ((c[m][half * 2] > 0.0f ? 1u : 0u) | (c[m][half * 2 + 1] > 0.0f ? 2u : 0u)) << (2 * tile);
    }
    const int table = group * Columns::kGroupTables + lane % 4;
    if (table >= columns.tables) continue;
    std::uint16_t* codes = args.hash.codes + (std::int64_t{blockIdx.z} * columns.tables + table) * args.count;
#pragma unroll
    for (int m = 0; m < kRowTiles; ++m)
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const std::int64_t vector = first + m * 16 + half * 8;
        if (vector < args.count) codes[vector] = static_cast<std::uint16_t>(code[m][half]);
      }
  }
}

// f32 on CUDA cores: a block owns 32 vectors, a lane one of them, a warp every eighth table of the block's groups.
// Reads K once per block of groups. Shared memory: the vectors, channel by channel.
template <int kHeadDim>
__global__ __launch_bounds__(kThreads) void hash_f32_kernel(const __grid_constant__ Args args) {
  __shared__ float x[kHeadDim][33];
  const Columns columns = args.hash.columns;
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
  const KvRows rows = args.cache.rows(static_cast<int>(args.first_head + blockIdx.z));
  const std::int64_t first = std::int64_t{blockIdx.x} * 32;
  for (int e = static_cast<int>(threadIdx.x); e < 32 * kHeadDim; e += kThreads) {
    const std::int64_t vector = first + e / kHeadDim;
    x[e % kHeadDim][e / kHeadDim] =
        vector < args.count
            ? static_cast<const float*>(args.vectors)[rows.row(args.first_vector + vector) * kHeadDim + e % kHeadDim]
            : 0.0f;
  }
  __syncthreads();
  const int first_table = static_cast<int>(blockIdx.y) * args.groups * Columns::kGroupTables;
  const int last_table = min(first_table + args.groups * Columns::kGroupTables, columns.tables);
  for (int table = first_table + warp; table < last_table; table += kWarps) {
    unsigned code = 0;
    for (int bit = 0; bit < columns.bits; ++bit) {
      const int column = columns.of(table, bit);
      const auto* w = static_cast<const float*>(args.hash.projections) + std::int64_t{column} * kHeadDim;
      float sum = -args.hash.thresholds[blockIdx.z * columns.count() + column];
#pragma unroll 8
      for (int c = 0; c < kHeadDim; ++c) sum = fmaf(w[c], x[c][lane], sum);
      code |= (sum > 0.0f ? 1u : 0u) << bit;
    }
    if (first + lane < args.count)
      args.hash.codes[(std::int64_t{blockIdx.z} * columns.tables + table) * args.count + first + lane] =
          static_cast<std::uint16_t>(code);
  }
}

template <typename T, int kHeadDim>
void launch_tensor_cores(const Args& args, std::int64_t heads, cudaStream_t stream) {
  const Columns& columns = args.hash.columns;
  const int shared_bytes = kStages * stage_bytes(columns.tiles(), kHeadDim);
  const auto kernel = hash_kernel<T, kHeadDim>;
  cuda_check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, shared_bytes),
             "lsh: shared memory");
  const dim3 grid(static_cast<unsigned>((args.count + kBlockVectors - 1) / kBlockVectors),
                  static_cast<unsigned>((columns.groups() + args.groups - 1) / args.groups),
                  static_cast<unsigned>(heads));
  kernel<<<grid, kThreads, shared_bytes, stream>>>(args);
}

template <int kHeadDim>
void launch_dtype(const Args& args, Dtype dtype, std::int64_t heads, cudaStream_t stream) {
  if (dtype == Dtype::bf16) return launch_tensor_cores<bf16, kHeadDim>(args, heads, stream);
  if (dtype == Dtype::f16) return launch_tensor_cores<f16, kHeadDim>(args, heads, stream);
  const dim3 grid(static_cast<unsigned>((args.count + 31) / 32),
                  static_cast<unsigned>((args.hash.columns.groups() + args.groups - 1) / args.groups),
                  static_cast<unsigned>(heads));
  hash_f32_kernel<kHeadDim><<<grid, kThreads, 0, stream>>>(args);
}

void launch(const Args& args, const Shape& shape, std::int64_t heads, cudaStream_t stream) {
  shape.head_dim == 64 ? launch_dtype<64>(args, shape.dtype, heads, stream)
                       : launch_dtype<128>(args, shape.dtype, heads, stream);
  cuda_check(cudaGetLastError(), "lsh: hash");
}

}  // namespace

void hash_keys(const AttentionInputs& in, const Lsh& lsh, std::int64_t first, std::int64_t count, const HashArgs& hash,
               cudaStream_t stream) {
  Args args{};
  args.hash = hash;
  args.vectors = in.k;
  args.cache = Cache(in);
  args.first_head = first;
  args.first_vector = lsh.indexed.begin;
  args.count = lsh.keys();
  args.groups = hash.columns.groups();
  launch(args, in.shape, count, stream);
}

void hash_queries(const AttentionInputs& in, const HashArgs& hash, cudaStream_t stream) {
  // All rows are the vectors of one head. They are few: blocks share out the tables instead.
  Args args{};
  args.hash = hash;
  args.vectors = in.q;
  args.count = in.shape.batch * in.shape.q_heads;
  args.groups = 1;
  launch(args, in.shape, 1, stream);
}

}  // namespace attnscope::select::cuda
