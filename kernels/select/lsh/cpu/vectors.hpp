// SPDX-License-Identifier: Apache-2.0
// The vectorised loops of LSH on the CPU.
#pragma once

#include <cstdint>

#include "harness/base/attention.hpp"

namespace attnscope::select {

inline constexpr std::int64_t kHashRows = 64;           // vectors hashed at once: 32 KiB of floats at head_dim 128
inline constexpr std::int64_t kProjectionStride = 128;  // the largest head_dim
inline constexpr std::int64_t kProjectionPadding = 16;  // rows that may be read past the last

/// Rows of head_dim elements in a tensor.
struct VectorRows {
  const void* data = nullptr;
  Dtype dtype = Dtype::f32;
  std::int64_t head_dim = 0;
  KvRows rows;
};

/// Tables [begin, end) of a hash: projections [tables · bits + padding, kProjectionStride] and, per projection, what
/// the product must exceed for a bit to be set.
struct Projections {
  const float* data = nullptr;
  const float* threshold = nullptr;
  std::int64_t bits = 0;
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

/// codes[table · stride + j] of vectors first + j, 0 ≤ j < count ≤ kHashRows.
void hash_vectors(const VectorRows& vectors, std::int64_t first, std::int64_t count, const Projections& projections,
                  std::uint16_t* codes, std::int64_t stride);

/// cosine[i] of the angle between `query` and row keys[i] less `centre`; 0 where either vanishes.
void cosines(const VectorRows& vectors, const float* query, const float* centre, const std::int32_t* keys,
             std::int64_t count, float* cosine);

}  // namespace attnscope::select
