// SPDX-License-Identifier: Apache-2.0
#include "harness/workload/llm_prompt.hpp"

#include <algorithm>
#include <cmath>

#include "harness/workload/portable_math.hpp"

namespace attnscope::llm {
namespace {

std::int64_t heavy_cells(std::int64_t cells, std::int64_t context, const Settings& settings) {
  const double growth = settings.heavy_growth * portable::log(static_cast<double>(context) / 4096);
  const double wanted = static_cast<double>(settings.heavy_count) * portable::exp(growth);
  return std::min(cells, static_cast<std::int64_t>(std::llround(wanted / 3)));
}

}  // namespace

double Partition::boundary(std::int64_t index) const {
  if (index == 0) return 0;
  const double jitter = .4 * symmetric_uniform(stream_, static_cast<std::uint64_t>(index));
  return static_cast<double>(length_) * (static_cast<double>(index) + jitter);
}

std::int64_t Partition::index(std::int64_t position) const {
  // Boundaries move by less than half a length, so that only the two around the nominal stretch can be crossed.
  const std::int64_t nominal = position / length_;
  const auto x = static_cast<double>(position);
  if (x < boundary(nominal)) return nominal - 1;
  return x < boundary(nominal + 1) ? nominal : nominal + 1;
}

HeavyTokens::HeavyTokens(std::int64_t context, const Settings& settings, NoiseStream stream)
    : cells_(context / kCell),
      heavy_cells_(heavy_cells(cells_, context, settings)),
      ranks_(std::max<std::int64_t>(cells_, 1), stream.child({0})),
      offsets_(stream.child({1})) {}

std::int64_t HeavyTokens::rank(std::int64_t position) const {
  const std::int64_t cell = position / kCell;
  if (position < 4 || cell >= cells_) return -1;
  const auto offset = static_cast<std::int64_t>(random_bits(offsets_, static_cast<std::uint64_t>(cell), 0)[0] % 8);
  const std::int64_t step = position % kCell - offset;
  if (step < 0 || step > 8 || step % 4 != 0) return -1;
  const std::int64_t cell_rank = ranks_(cell);
  return cell_rank < heavy_cells_ ? 3 * cell_rank + step / 4 : -1;
}

std::vector<HeavyToken> HeavyTokens::within(std::int64_t first, std::int64_t last) const {
  std::vector<HeavyToken> tokens;
  for (std::int64_t position = first; position < last; ++position)
    if (const std::int64_t token_rank = rank(position); token_rank >= 0)
      tokens.push_back({.position = position, .rank = token_rank});
  return tokens;
}

Needle place_needle(std::int64_t context, const Settings& settings, NoiseStream stream) {
  const std::int64_t length = std::min(settings.needle_length, context / 16);
  const double depth = .05 + .4 * uniform(stream, 0);
  const auto first = static_cast<std::int64_t>(depth * static_cast<double>(context));
  return {.first = first, .last = first + length};
}

}  // namespace attnscope::llm
