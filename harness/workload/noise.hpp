// SPDX-License-Identifier: Apache-2.0
// Random numbers as a pure function of (stream, row, component): no state, so any slice of a tensor can be made alone,
// in any order, on any thread. Bits come from Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as
// 1, 2, 3", SC 2011), normals from Box–Muller with polynomials of our own: IEEE operations only, no libm, so that the
// same bits come out of every machine.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>

namespace attnscope {

/// Generators work on tiles of this many consecutive rows (tokens), stored [channel][kTileRows] so that loops over
/// rows vectorise.
inline constexpr std::int64_t kTileRows = 64;

/// One independent sequence of random rows; the Philox key.
struct NoiseStream {
  std::uint64_t key = 0;

  /// A stream of its own for every path of numbers below this one, e.g. stream.child({kKeys, batch, head}).
  NoiseStream child(std::initializer_list<std::uint64_t> path) const;
};

/// Four words of random bits.
std::array<std::uint32_t, 4> random_bits(NoiseStream stream, std::uint64_t row, std::uint32_t quad);

/// Uniform in [0, 1), 53 bits.
double uniform(NoiseStream stream, std::uint64_t row);

/// Uniform in [−1, 1).
inline double symmetric_uniform(NoiseStream stream, std::uint64_t row) { return 2 * uniform(stream, row) - 1; }

/// Standard normals for kTileRows rows from `first_row` on: out[c · kTileRows + r] is component c of row first_row + r,
/// for c < components rounded up to a multiple of 4 (the caller leaves room for that).
void normal_tile(NoiseStream stream, std::uint64_t first_row, std::int64_t components, float* out);

/// The same numbers for one row: out[c], c < components rounded up to a multiple of 4.
void normal_row(NoiseStream stream, std::uint64_t row, std::int64_t components, float* out);

/// out = √share · a + √(1 − share) · b, element by element: standard normals again, correlated `share` among all that
/// have the same `a`.
void blend(double share, std::span<const float> a, std::span<const float> b, float* out);

constexpr std::int64_t round_up_to_quad(std::int64_t components) { return (components + 3) / 4 * 4; }

}  // namespace attnscope
