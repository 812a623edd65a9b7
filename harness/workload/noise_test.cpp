// SPDX-License-Identifier: Apache-2.0
#include "harness/workload/noise.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <cstring>
#include <vector>

namespace attnscope {
namespace {

// Known answers of Philox4x32-10 from the authors' Random123 (examples/kat_vectors).
TEST(Noise, BitsArePhilox) {
  EXPECT_THAT(random_bits({0}, 0, 0), testing::ElementsAre(0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u));
}

TEST(Noise, ARowAloneHasTheBitsItHasInATile) {
  constexpr std::int64_t kComponents = 301;  // neither a multiple of 4 nor within one batch of lanes
  const NoiseStream stream{77};
  std::vector<float> tile(static_cast<std::size_t>(round_up_to_quad(kComponents) * kTileRows));
  normal_tile(stream, 1'000'000'000'000, kComponents, tile.data());
  std::vector<float> row(static_cast<std::size_t>(round_up_to_quad(kComponents)));
  for (const std::int64_t r : {0, 1, 63}) {
    normal_row(stream, static_cast<std::uint64_t>(1'000'000'000'000 + r), kComponents, row.data());
    for (std::int64_t c = 0; c < kComponents; ++c)
      ASSERT_EQ(row[static_cast<std::size_t>(c)], tile[static_cast<std::size_t>(c * kTileRows + r)]) << c;
  }
}

// 256K draws: the standard errors of the four moments are .002, .0028, .0048 and .019; five of each are allowed.
TEST(Noise, NormalsHaveTheMomentsOfANormal) {
  constexpr std::int64_t kComponents = 64;
  std::vector<float> tile(static_cast<std::size_t>(kComponents * kTileRows));
  double count = 0, sum[5] = {};
  for (std::uint64_t t = 0; t < 64; ++t) {
    normal_tile({5}, t * kTileRows, kComponents, tile.data());
    for (const float z : tile) {
      count += 1;
      for (int p = 1; p <= 4; ++p) sum[p] += std::pow(static_cast<double>(z), p);
    }
  }
  EXPECT_NEAR(sum[1] / count, 0, .010);
  EXPECT_NEAR(sum[2] / count, 1, .014);
  EXPECT_NEAR(sum[3] / count, 0, .024);
  EXPECT_NEAR(sum[4] / count, 3, .095);
}

// The transform against libm, through its inputs: z0² + z1² = −2 ln u and the angle atan2(z1, z0).
TEST(Noise, BoxMullerMatchesTheLibrary) {
  for (std::uint64_t row = 0; row < 2000; ++row) {
    const auto bits = random_bits({3}, row, 0);
    std::vector<float> z(4);
    normal_row({3}, row, 4, z.data());
    const double u = (static_cast<double>(bits[0] >> 1) + .5) * 0x1p-31;
    const double angle = 2 * M_PI * static_cast<double>(bits[1]) * 0x1p-32, radius = std::sqrt(-2 * std::log(u));
    // Float arithmetic: 1e-6 relative to the radius; near u = 1 the rounding of u itself moves the radius by 4e-4.
    const double tolerance = u > .999 ? 4e-4 : 1e-5 * radius;
    EXPECT_NEAR(z[0], radius * std::cos(angle), tolerance) << row;
    EXPECT_NEAR(z[1], radius * std::sin(angle), tolerance) << row;
  }
}

TEST(Noise, StreamsOfDifferentPathsDiffer) {
  const NoiseStream root{1};
  EXPECT_NE(root.child({1, 2}).key, root.child({2, 1}).key);
  EXPECT_NE(root.child({0}).key, root.child({0, 0}).key);
  EXPECT_NE(root.child({1}).key, NoiseStream{2}.child({1}).key);
  EXPECT_EQ(root.child({1, 2}).key, root.child({1}).child({2}).key);
}

TEST(Noise, UniformsLieInTheirInterval) {
  double sum = 0;
  for (std::uint64_t row = 0; row < 10000; ++row) {
    const double u = uniform({9}, row);
    ASSERT_GE(u, 0);
    ASSERT_LT(u, 1);
    sum += u;
  }
  EXPECT_NEAR(sum / 10000, .5, 5 * .0029);  // standard error 1/√(12 · 10000)
}

}  // namespace
}  // namespace attnscope
