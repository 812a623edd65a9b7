// SPDX-License-Identifier: Apache-2.0
// What the kernels of LSH share, and their launchers. All pointers are device pointers.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <vector>

#include "harness/base/attention.hpp"
#include "kernels/select/lsh.hpp"
#include "kernels/select/lsh/planes.hpp"

namespace attnscope::select::cuda {

/// The order in which kernels compute projections. Four tables make a group, two bits of each a tile of eight columns,
/// so that the thread of a tensor-core product that holds columns 2t and 2t + 1 collects the bits of table t alone.
struct Columns {
  static constexpr int kGroupTables = 4;
  static constexpr int kTile = 8;

  int bits = 0;
  int tables = 0;

  __host__ __device__ int tiles() const { return (bits + 1) / 2; }  // of a group
  __host__ __device__ int groups() const { return (tables + kGroupTables - 1) / kGroupTables; }
  __host__ __device__ int count() const { return groups() * tiles() * kTile; }
  __host__ __device__ int of(int table, int bit) const {
    const int tile = table / kGroupTables * tiles() + bit / 2;
    return tile * kTile + table % kGroupTables * 2 + bit % 2;
  }
};

/// Drawn projections [tables, bits, dim] as the kernels read them: [columns, dim] with zeros in unused columns, floats
/// or, for tensor cores, 16-bit elements of `dtype` in the order in which the lanes of a warp take them.
std::vector<float> ordered_projections(const std::vector<float>& drawn, const Columns& columns, std::int64_t dim);
std::vector<std::uint16_t> lane_projections(const std::vector<float>& ordered, std::int64_t dim, Dtype dtype);

/// centre[head] = mean of the indexed keys, head counted over the batch. `partial` holds centre_partials(...) doubles.
void centre(const AttentionInputs& in, const Lsh& lsh, double* partial, float* centre, cudaStream_t stream);
std::int64_t centre_partials(const Shape& shape, const Lsh& lsh);

/// thresholds[head, column] = projection · centre.
void thresholds(const Columns& columns, const float* projections, const float* centre, std::int64_t heads,
                std::int64_t dim, float* thresholds, cudaStream_t stream);

/// Hashes the indexed keys of heads [first, first + count), or the queries of all rows.
struct HashArgs {
  Columns columns;
  const void* projections = nullptr;  // as the dtype wants them
  const float* thresholds = nullptr;  // [heads, columns] from the first head on, or [columns] of zeros
  std::uint16_t* codes = nullptr;     // [heads, tables, vectors]
};
void hash_keys(const AttentionInputs& in, const Lsh& lsh, std::int64_t first, std::int64_t count, const HashArgs& args,
               cudaStream_t stream);
void hash_queries(const AttentionInputs& in, const HashArgs& args, cudaStream_t stream);

/// Sorts `count` tables of codes [count, keys] into begin [count, buckets + 1] and keys [count, keys].
void sort_tables(const std::uint16_t* codes, std::int64_t count, const Lsh& lsh, std::int32_t* begin,
                 std::int32_t* keys, cudaStream_t stream);

/// Planes of all rows, and how many keys of each section of a row are in the plane `twice`. All zeros before.
struct Collisions {
  static constexpr int kSectionWords = 256;

  Planes planes;
  std::int32_t* counts = nullptr;  // [rows, sections]

  __host__ __device__ std::int64_t sections() const { return (planes.words + kSectionWords - 1) / kSectionWords; }
};
void find_collisions(const Shape& shape, const Lsh& lsh, const LshTables& tables, const Collisions& collisions,
                     cudaStream_t stream);
void list_collisions(const Shape& shape, const Collisions& collisions, const Lists& lists, cudaStream_t stream);

void weigh(const AttentionInputs& in, const Lsh& lsh, const float* centre, const Lists& lists, float floor,
           float* log_weight, cudaStream_t stream);

}  // namespace attnscope::select::cuda
