// SPDX-License-Identifier: Apache-2.0
#include "harness/workload/llm_profile.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "harness/base/parallel.hpp"
#include "harness/workload/portable_math.hpp"

namespace attnscope::llm {

std::vector<Amplitude> profile_amplitudes(const Model& model, double gamma, double knee, double slash_period) {
  const auto pairs = static_cast<double>(model.layout.pairs);
  const double step = portable::log(model.base) / pairs;  // δ: the ladder's spacing in ln θ
  const double knee_pair = portable::log(knee) / step;    // θ = 1 / knee
  const double fall = 6 * pairs / 64;                     // pairs over which the slow end falls to zero
  std::vector<Amplitude> amplitudes;
  for (std::int64_t f = 0; f < model.layout.position; ++f) {
    const auto pair = static_cast<double>(f);
    const double rise = pair < knee_pair ? .15 + .85 * (pair / knee_pair) * (pair / knee_pair) : 1;
    const double end = std::min(1.0, static_cast<double>(model.layout.position - f) / (fall + 1));
    const double size = gamma * step * rise * end;
    if (slash_period == 0) {
      amplitudes.push_back({size, 0});
      continue;
    }
    const auto once = portable::sine_cosine(-model.rotation.turns(f) * slash_period);
    const auto twice = portable::sine_cosine(-2 * model.rotation.turns(f) * slash_period);
    amplitudes.push_back(
        {size * (.5 + .25 * once.cosine + .25 * twice.cosine), size * (.25 * once.sine + .25 * twice.sine)});
  }
  return amplitudes;
}

DistanceProfile::DistanceProfile(const Rotation& rotation, std::vector<Amplitude> amplitudes)
    : rotation_(rotation), amplitudes_(std::move(amplitudes)) {}

void DistanceProfile::logits(std::int64_t first, double* g) const {
  std::fill(g, g + kTileRows, 0.0);
  for (std::size_t f = 0; f < amplitudes_.size(); ++f) {
    const auto pair = static_cast<std::int64_t>(f);
    const auto start = portable::sine_cosine(rotation_.turns(pair) * static_cast<double>(first));
    const Amplitude a = amplitudes_[f];
    const double re = a.re * start.cosine - a.im * start.sine;
    const double im = a.re * start.sine + a.im * start.cosine;
    const double* cosine = rotation_.cosine(pair);
    const double* sine = rotation_.sine(pair);
    for (std::int64_t r = 0; r < kTileRows; ++r) g[r] += re * cosine[r] - im * sine[r];
  }
}

std::vector<double> DistanceProfile::prefix_mass(std::int64_t count, int threads) const {
  constexpr std::int64_t kChunk = 64 * kTileRows;
  std::vector<double> mass(static_cast<std::size_t>(count) + 1);
  const std::int64_t chunks = (count + kChunk - 1) / kChunk;
  // Sums within chunks, then the chunks' offsets in order, then both together: no sum depends on the threads.
  parallel_for(chunks, threads, [&](std::int64_t chunk) {
    std::array<double, kTileRows> g;
    double sum = 0;
    for (std::int64_t first = chunk * kChunk; first < std::min((chunk + 1) * kChunk, count); first += kTileRows) {
      logits(first, g.data());
      for (double& x : g) x = portable::exp(x);
      for (std::int64_t r = 0; r < std::min(kTileRows, count - first); ++r)
        mass[static_cast<std::size_t>(first + r) + 1] = sum += g[static_cast<std::size_t>(r)];
    }
  });
  std::vector<double> offsets(static_cast<std::size_t>(chunks));
  for (std::size_t c = 1; c < offsets.size(); ++c)
    offsets[c] = offsets[c - 1] + mass[c * static_cast<std::size_t>(kChunk)];
  parallel_for(chunks, threads, [&](std::int64_t chunk) {
    for (std::int64_t i = chunk * kChunk; i < std::min((chunk + 1) * kChunk, count); ++i)
      mass[static_cast<std::size_t>(i) + 1] += offsets[static_cast<std::size_t>(chunk)];
  });
  return mass;
}

}  // namespace attnscope::llm
