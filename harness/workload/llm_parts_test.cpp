// SPDX-License-Identifier: Apache-2.0
// The parts of the llm workload, each against its definition.
#include <gmock/gmock.h>

#include <array>
#include <cmath>
#include <vector>

#include "harness/workload/llm_kinds.hpp"
#include "harness/workload/llm_masses.hpp"
#include "harness/workload/llm_model.hpp"
#include "harness/workload/llm_profile.hpp"
#include "harness/workload/llm_prompt.hpp"
#include "harness/workload/llm_settings.hpp"
#include "harness/workload/workload_testing.hpp"

namespace attnscope::llm {
namespace {

Settings default_settings() { return settings_from(testing_::params_of("llm")); }

TEST(LlmProfile, PrefixMassMatchesBruteForce) {
  const Model model(128, 5000, default_settings(), 1);
  const DistanceProfile profile(model.rotation, profile_amplitudes(model, 1.3, 20, 700));
  const std::vector<double> mass = profile.prefix_mass(5000, 2);
  ASSERT_EQ(mass.size(), 5001u);
  const double log_base = std::log(model.base);
  double sum = 0;
  for (int distance = 0; distance < 5000; ++distance) {
    double g = 0;
    for (std::size_t f = 0; f < profile.amplitudes().size(); ++f) {
      const double angle = distance * std::exp(-log_base * static_cast<double>(f) / 64);
      const Amplitude a = profile.amplitudes()[f];
      g += a.re * std::cos(angle) - a.im * std::sin(angle);
    }
    sum += std::exp(g);
    // 44 phases, each rounded to 2^-53 of up to 5000 radians.
    ASSERT_NEAR(mass[static_cast<std::size_t>(distance) + 1] / sum, 1, 1e-11) << distance;
  }
  EXPECT_EQ(mass, profile.prefix_mass(5000, 3));
}

TEST(LlmProfile, DecaysAsThePowerLawItIsAskedFor) {
  const Model model(128, 1 << 17, default_settings(), 1);
  const DistanceProfile profile(model.rotation, profile_amplitudes(model, 1.0, 20, 0));
  std::array<double, kTileRows> near, far;
  profile.logits(256, near.data());
  profile.logits(8192, far.data());
  double slope = 0;
  for (std::size_t r = 0; r < kTileRows; ++r) slope += (far[r] - near[r]) / kTileRows / std::log(32.0);
  EXPECT_NEAR(slope, -1, .35);  // the ripple at far distances has deviation 1.3 γ, over ln 32 = 3.5
}

TEST(LlmProfile, SlashesPeakAtOneAndTwoPeriods) {
  const Model model(128, 1 << 14, default_settings(), 1);
  const DistanceProfile profile(model.rotation, profile_amplitudes(model, 3, 20, 1000));
  const std::vector<double> mass = profile.prefix_mass(4000, 1);
  const auto at = [&](std::size_t distance) { return mass[distance + 20] - mass[distance - 20]; };
  for (const std::size_t period : {1000u, 2000u}) {
    EXPECT_GT(at(period), 10 * at(period + 400));
    EXPECT_GT(at(period), 10 * at(period - 400));
  }
}

// E e^{κ t·e} by Simpson's rule: the density of t·e on the sphere goes as (1 − x²)^{(D−3)/2}.
TEST(LlmMasses, MeanContentMatchesQuadrature) {
  for (const std::int64_t dims : {14, 28}) {
    for (const double kappa : {0.0, .5, 4.2, 9.5, 20.0, 40.0}) {
      constexpr int kSteps = 20000;
      double weighted = 0, norm = 0;
      for (int i = 0; i <= kSteps; ++i) {
        const double x = -1 + 2.0 * i / kSteps;
        const double simpson = i == 0 || i == kSteps ? 1 : i % 2 ? 4 : 2;
        const double density = simpson * std::pow(1 - x * x, (static_cast<double>(dims) - 3) / 2);
        weighted += density * std::exp(kappa * (x - 1));
        norm += density;
      }
      EXPECT_NEAR(log_mean_content(kappa, dims), std::log(weighted / norm) + kappa, 1e-9) << dims << ", " << kappa;
    }
  }
}

TEST(LlmMasses, SpreadSigmaKeepsAConstantShareAtOne) {
  for (const std::int64_t context : {1024, 8192, 1 << 22}) EXPECT_NEAR(spread_sigma(1.8, 1, context), 1.8, 1e-9);
  EXPECT_NEAR(spread_sigma(1.8, .8, 8192), 1.8, 1e-9);
  EXPECT_GT(spread_sigma(1.8, .8, 1 << 20), spread_sigma(1.8, .9, 1 << 20));
}

TEST(LlmKinds, QuotasAreExactAndGroupsAgree) {
  constexpr std::int64_t kGroups = 400, kGroup = 4;
  const auto kinds = assign_kinds(find_mix("body"), kGroups, kGroup, .62, {3});
  std::array<int, kKinds> count{};
  int same = 0, pairs = 0;
  for (std::size_t h = 0; h < kinds.size(); ++h) {
    ++count[static_cast<std::size_t>(kinds[h])];
    for (std::size_t other = h + 1; other < (h / kGroup + 1) * kGroup; ++other, ++pairs)
      same += kinds[h] == kinds[other];
  }
  EXPECT_THAT(count, testing::ElementsAre(400, 208, 256, 256, 96, 384));  // .25 .13 .16 .16 .06 .24 of 1600
  // Two heads agree if both copy or by chance: with c = .62 and s = Σ share² = .19, half the pairs hold the first head
  // (c + (1−c) s = .70) and half do not (c² + (1−c²) s = .50): .60. Quotas run out towards the end.
  EXPECT_NEAR(static_cast<double>(same) / pairs, .60, .06);
}

TEST(LlmKinds, SharesSumToOneAndFewHeadsStillGetKinds) {
  for (const Mix& mix : mixes()) {
    double sum = 0;
    for (const double share : mix.shares) sum += share;
    EXPECT_NEAR(sum, 1, 1e-12) << mix.name;
    for (std::int64_t heads = 1; heads < 20; ++heads) EXPECT_EQ(assign_kinds(mix, heads, 1, .62, {1}).size(), heads);
  }
}

TEST(LlmPrompt, StretchesFollowEachOtherAndKeepTheirMeanLength) {
  for (const std::int64_t length : {5, 32, 513}) {  // below five tokens a stretch may be empty
    const Partition partition(length, {4});
    std::int64_t last = 0;
    for (std::int64_t j = 0; j < 100 * length; ++j) {
      const std::int64_t index = partition.index(j);
      ASSERT_TRUE(index == last || index == last + 1) << length << ", " << j;
      last = index;
    }
    EXPECT_NEAR(static_cast<double>(last), 99, 1);
  }
}

TEST(LlmPrompt, HeavyTokensHaveDistinctRanksAndTheirNumber) {
  const Settings settings = default_settings();
  const HeavyTokens heavy(1 << 16, settings, {5});
  EXPECT_NEAR(static_cast<double>(heavy.count()), 448 * std::pow(16, .3), 2);
  const auto tokens = heavy.within(0, 1 << 16);
  EXPECT_NEAR(static_cast<double>(tokens.size()), static_cast<double>(heavy.count()), 3);  // the first four never are
  std::vector<bool> seen(static_cast<std::size_t>(heavy.count()));
  for (const HeavyToken& token : tokens) {
    ASSERT_LT(token.rank, heavy.count());
    ASSERT_FALSE(seen[static_cast<std::size_t>(token.rank)]);
    seen[static_cast<std::size_t>(token.rank)] = true;
  }
  EXPECT_TRUE(HeavyTokens(10, settings, {5}).within(0, 10).empty());
}

TEST(LlmLayout, EveryPairHasOneUseAndContentTurnsByOneRadian) {
  for (const std::int64_t dim : {64, 128}) {
    const Layout layout = layout_for(dim);
    EXPECT_EQ(layout.outlier, layout.position + layout.content);
    EXPECT_EQ(layout.sink, layout.outlier + 1);
    EXPECT_EQ(layout.heavy, layout.sink + layout.sinks);
    EXPECT_EQ(layout.heavy + 1, layout.pairs);
    constexpr std::int64_t kContext = 100000;
    const Rotation rotation(rope_base(layout, kContext), dim);
    EXPECT_NEAR(rotation.turns(layout.position) * kContext * 2 * M_PI, 1, 1e-9);
  }
}

TEST(LlmRotation, TilesTurnByTheirPositions) {
  const Rotation rotation(1e4, 64);
  std::vector<float> tile(64 * kTileRows, 1.0f);
  constexpr std::int64_t kFirst = (std::int64_t{1} << 23) - 64;
  rotation.rotate(kFirst, tile.data());
  for (std::int64_t f = 0; f < 32; ++f) {
    for (const std::int64_t r : {0, 63}) {
      const double angle = static_cast<double>(kFirst + r) * std::pow(1e4, -static_cast<double>(f) / 32);
      const auto at = [&](std::int64_t channel) { return tile[static_cast<std::size_t>(channel * kTileRows + r)]; };
      // Float storage (1e-7) and 2^23 radians rounded to 2^-53 of that (1e-9).
      EXPECT_NEAR(at(f), std::cos(angle) - std::sin(angle), 3e-7);
      EXPECT_NEAR(at(f + 32), std::cos(angle) + std::sin(angle), 3e-7);
    }
  }
}

}  // namespace
}  // namespace attnscope::llm
