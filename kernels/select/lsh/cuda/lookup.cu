// SPDX-License-Identifier: Apache-2.0
// Keys that share the query's bucket in at least two tables, and their lists. Integers only: what comes out does not
// depend on the order in which threads run.
#include "harness/device/cuda_check.hpp"
#include "kernels/select/lsh/cuda/kernels.hpp"
#include "kernels/select/lsh/cuda/scan.cuh"

namespace attnscope::select::cuda {
namespace {

constexpr int kThreads = 128;
constexpr int kListThreads = Collisions::kSectionWords;

struct FindArgs {
  LshTables tables;
  Collisions collisions;
  std::int64_t rows;
  std::int64_t keys;
  int group;
  int table_count;
  int buckets;
};

// A block owns one bucket: that of one query row in one table. Reads its keys once; sets their bits, in L2.
// Floor: 4 bytes per entry of the buckets read. Measured on an H200, 32 rows of 150 tables: 55 G entries/s in a million
// keys (0.05 of the HBM rate) and 27 in 128k: an atomic per entry limits it, then the latency of three dependent reads.
__global__ __launch_bounds__(kThreads) void find_collisions_kernel(const __grid_constant__ FindArgs args) {
  const std::int64_t row = blockIdx.x / static_cast<unsigned>(args.table_count);
  const std::int64_t table = blockIdx.x % static_cast<unsigned>(args.table_count);
  const std::int64_t index = row / args.group * args.table_count + table;
  const std::int32_t* begin =
      args.tables.begin + index * (args.buckets + 1) + args.tables.query_codes[table * args.rows + row];
  const std::int32_t* keys = args.tables.keys + index * args.keys;
  const Planes& planes = args.collisions.planes;
  std::uint32_t* once = planes.once + row * planes.words;
  std::uint32_t* twice = planes.twice + row * planes.words;
  std::int32_t* counts = args.collisions.counts + row * args.collisions.sections();
  for (std::int32_t i = begin[0] + static_cast<std::int32_t>(threadIdx.x); i < begin[1]; i += kThreads) {
    const std::int32_t word = keys[i] / Planes::kWordBits;
    const std::uint32_t bit = 1u << (keys[i] % Planes::kWordBits);
    if ((atomicOr(&once[word], bit) & bit) == 0) continue;
    if ((atomicOr(&twice[word], bit) & bit) == 0) atomicAdd(&counts[word / Collisions::kSectionWords], 1);
  }
}

// A block owns 8192 keys of one row, a thread 32 of them. How many keys of the row come before is the sum of the counts
// of earlier sections and of the keys there that are always listed.
// Reads the plane once, writes the list once.
__global__ __launch_bounds__(kListThreads) void list_kernel(const __grid_constant__ Collisions collisions,
                                                            std::int32_t* __restrict__ indices,
                                                            std::int32_t* __restrict__ list_count,
                                                            std::int64_t capacity) {
  __shared__ int warp_sums[32];
  const Planes& planes = collisions.planes;
  const std::int64_t sections = collisions.sections();
  const std::int64_t row = blockIdx.x / sections, section = blockIdx.x % sections;
  const std::int64_t word = section * Collisions::kSectionWords + threadIdx.x;

  int earlier = 0;
  for (std::int64_t s = threadIdx.x; s < section; s += kListThreads) earlier += collisions.counts[row * sections + s];
  int before = 0;
  exclusive_scan(earlier, warp_sums, before);
  const std::int64_t first_key = section * Collisions::kSectionWords * Planes::kWordBits;
  before +=
      static_cast<int>(min(first_key, planes.indexed.begin) + max(first_key - planes.indexed.end, std::int64_t{0}));

  std::uint32_t bits = word < planes.words ? planes.twice[row * planes.words + word] | planes.always(word) : 0;
  int total = 0;
  std::int32_t* out = indices + row * capacity + before + exclusive_scan(__popc(bits), warp_sums, total);
  for (; bits != 0; bits &= bits - 1) *out++ = static_cast<std::int32_t>(word * Planes::kWordBits) + __ffs(bits) - 1;
  if (section + 1 == sections && threadIdx.x == 0) list_count[row] = before + total;
}

}  // namespace

void find_collisions(const Shape& shape, const Lsh& lsh, const LshTables& tables, const Collisions& collisions,
                     cudaStream_t stream) {
  const std::int64_t rows = shape.batch * shape.q_heads;
  FindArgs args{};
  args.tables = tables;
  args.collisions = collisions;
  args.rows = rows;
  args.keys = lsh.keys();
  args.group = static_cast<int>(shape.group());
  args.table_count = static_cast<int>(lsh.tables);
  args.buckets = static_cast<int>(lsh.buckets());
  find_collisions_kernel<<<static_cast<unsigned>(rows * lsh.tables), kThreads, 0, stream>>>(args);
  cuda_check(cudaGetLastError(), "lsh: find_collisions");
}

void list_collisions(const Shape& shape, const Collisions& collisions, const Lists& lists, cudaStream_t stream) {
  const std::int64_t rows = shape.batch * shape.q_heads;
  list_kernel<<<static_cast<unsigned>(rows * collisions.sections()), kListThreads, 0, stream>>>(
      collisions, lists.indices, lists.count, lists.capacity);
  cuda_check(cudaGetLastError(), "lsh: list");
}

}  // namespace attnscope::select::cuda
