// SPDX-License-Identifier: Apache-2.0
#include "harness/workload/noise.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace attnscope {
namespace {

constexpr std::int64_t kLanes = kTileRows;

using Words = std::array<std::uint32_t, kLanes>;

struct Lanes {
  alignas(64) Words word[4];
};

// Philox4x32-10 on every lane in place. One round: (c0, c1, c2, c3) →
// (hi(M1·c2) ^ c1 ^ k0, lo(M1·c2), hi(M0·c0) ^ c3 ^ k1, lo(M0·c0)), with a Weyl sequence of keys.
template <std::int64_t count>
[[gnu::always_inline]] inline void philox(NoiseStream stream, std::uint32_t* c0, std::uint32_t* c1, std::uint32_t* c2,
                                          std::uint32_t* c3) {
  for (std::int64_t lane = 0; lane < count; ++lane) {
    std::uint32_t a = c0[lane], b = c1[lane], c = c2[lane], d = c3[lane];
    auto k0 = static_cast<std::uint32_t>(stream.key);
    auto k1 = static_cast<std::uint32_t>(stream.key >> 32);
#pragma GCC unroll 10
    for (int round = 0; round < 10; ++round) {
      const std::uint64_t even = std::uint64_t{0xD2511F53u} * a;
      const std::uint64_t odd = std::uint64_t{0xCD9E8D57u} * c;
      a = static_cast<std::uint32_t>(odd >> 32) ^ b ^ k0;
      b = static_cast<std::uint32_t>(odd);
      c = static_cast<std::uint32_t>(even >> 32) ^ d ^ k1;
      d = static_cast<std::uint32_t>(even);
      k0 += 0x9E3779B9u;
      k1 += 0xBB67AE85u;
    }
    c0[lane] = a;
    c1[lane] = b;
    c2[lane] = c;
    c3[lane] = d;
  }
}

// ln x for a positive normal float: x = 2^e m with m in [√½, √2), ln m = 2 artanh s, s = (m−1)/(m+1), |s| ≤ .172.
// The first term left out is s^11·2/11: 4e-10 of the result.
[[gnu::always_inline]] inline float natural_log(float x) {
  constexpr std::uint32_t kSqrtHalf = 0x3F3504F3u;
  const std::uint32_t shifted = std::bit_cast<std::uint32_t>(x) - kSqrtHalf;
  const auto exponent = static_cast<std::int32_t>(shifted) >> 23;
  const float m = std::bit_cast<float>((shifted & 0x007FFFFFu) + kSqrtHalf);
  const float s = (m - 1.0f) / (m + 1.0f);
  const float t = s * s;
  const float series = 1.0f + t * (1.0f / 3 + t * (1.0f / 5 + t * (1.0f / 7 + t * (1.0f / 9))));
  return static_cast<float>(exponent) * 0.693147181f + 2.0f * s * series;
}

// Two normals from two words. The radius uses 31 bits, so that |z| reaches 6.6; the angle is an exact fraction of a
// turn, reduced to |x| ≤ π/4 by integer arithmetic before the Taylor sums (error 2.5e-8).
[[gnu::always_inline]] inline void box_muller(std::uint32_t radius_bits, std::uint32_t angle_bits, float& z0,
                                              float& z1) {
  const float u = static_cast<float>(static_cast<std::int32_t>(radius_bits >> 1)) * 0x1p-31f + 0x1p-32f;
  const float radius = std::sqrt(-2.0f * natural_log(u));
  const std::uint32_t quadrant = (angle_bits + 0x20000000u) >> 30;
  const auto rest = static_cast<std::int32_t>(angle_bits - (quadrant << 30));
  const float x = static_cast<float>(rest) * (1.57079633f * 0x1p-30f);
  const float t = x * x;
  const float sine = x * (1.0f + t * (-1.0f / 6 + t * (1.0f / 120 + t * (-1.0f / 5040 + t * (1.0f / 362880)))));
  const float cosine = 1.0f + t * (-1.0f / 2 + t * (1.0f / 24 + t * (-1.0f / 720 + t * (1.0f / 40320))));
  // Quarter turns by bits: odd quadrants swap, bit 1 of the quadrant (of the next one for the cosine) flips the sign.
  const std::uint32_t swap = 0u - (quadrant & 1u);
  const auto s = std::bit_cast<std::uint32_t>(sine), c = std::bit_cast<std::uint32_t>(cosine);
  const std::uint32_t first = (c & ~swap) | (s & swap), second = (s & ~swap) | (c & swap);
  z0 = radius * std::bit_cast<float>(first ^ (((quadrant + 1u) & 2u) << 30));
  z1 = radius * std::bit_cast<float>(second ^ ((quadrant & 2u) << 30));
}

// SplitMix64's finaliser (Steele, Lea, Flood 2014): a bijection in which every input bit reaches every output bit.
std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

}  // namespace

NoiseStream NoiseStream::child(std::initializer_list<std::uint64_t> path) const {
  std::uint64_t key_below = key;
  for (const std::uint64_t step : path) key_below = mix(key_below + 0x9E3779B97F4A7C15u + mix(step));
  return {key_below};
}

std::array<std::uint32_t, 4> random_bits(NoiseStream stream, std::uint64_t row, std::uint32_t quad) {
  std::array<std::uint32_t, 4> c{static_cast<std::uint32_t>(row), static_cast<std::uint32_t>(row >> 32), quad, 0};
  philox<1>(stream, &c[0], &c[1], &c[2], &c[3]);
  return c;
}

double uniform(NoiseStream stream, std::uint64_t row) {
  const auto words = random_bits(stream, row, 0);
  return static_cast<double>((std::uint64_t{words[0]} << 32 | words[1]) >> 11) * 0x1p-53;
}

void normal_tile(NoiseStream stream, std::uint64_t first_row, std::int64_t components, float* out) {
  Lanes lanes;
  auto& [c0, c1, c2, c3] = lanes.word;
  for (std::int64_t c = 0; c < components; c += 4) {
    for (std::int64_t r = 0; r < kLanes; ++r) {
      const std::uint64_t row = first_row + static_cast<std::uint64_t>(r);
      c0[r] = static_cast<std::uint32_t>(row);
      c1[r] = static_cast<std::uint32_t>(row >> 32);
      c2[r] = static_cast<std::uint32_t>(c / 4);
      c3[r] = 0;
    }
    philox<kLanes>(stream, c0.data(), c1.data(), c2.data(), c3.data());
    float* z = out + c * kLanes;
    for (std::int64_t r = 0; r < kLanes; ++r) box_muller(c0[r], c1[r], z[r], z[kLanes + r]);
    for (std::int64_t r = 0; r < kLanes; ++r) box_muller(c2[r], c3[r], z[2 * kLanes + r], z[3 * kLanes + r]);
  }
}

void normal_row(NoiseStream stream, std::uint64_t row, std::int64_t components, float* out) {
  Lanes lanes;
  auto& [c0, c1, c2, c3] = lanes.word;
  const std::int64_t quads = round_up_to_quad(components) / 4;
  for (std::int64_t first = 0; first < quads; first += kLanes) {
    for (std::int64_t q = 0; q < kLanes; ++q) {
      c0[q] = static_cast<std::uint32_t>(row);
      c1[q] = static_cast<std::uint32_t>(row >> 32);
      c2[q] = static_cast<std::uint32_t>(first + q);
      c3[q] = 0;
    }
    philox<kLanes>(stream, c0.data(), c1.data(), c2.data(), c3.data());
    float* z = out + 4 * first;
    for (std::int64_t q = 0; q < std::min(kLanes, quads - first); ++q) {
      box_muller(c0[q], c1[q], z[4 * q], z[4 * q + 1]);
      box_muller(c2[q], c3[q], z[4 * q + 2], z[4 * q + 3]);
    }
  }
}

void blend(double share, std::span<const float> a, std::span<const float> b, float* out) {
  const auto x = static_cast<float>(std::sqrt(share)), y = static_cast<float>(std::sqrt(1 - share));
  for (std::size_t i = 0; i < a.size(); ++i) out[i] = x * a[i] + y * b[i];
}

}  // namespace attnscope
