// SPDX-License-Identifier: Apache-2.0
#include "harness/workload/llm_queries.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "harness/workload/llm_sphere.hpp"
#include "harness/workload/portable_math.hpp"
#include "harness/workload/tile.hpp"

namespace attnscope::llm {
namespace {

double scale_odds(double mass, double log_factor) {
  const double odds = mass / (1 - mass) * portable::exp(log_factor);
  return odds / (1 + odds);
}

double content_size(const Model& model, Kind kind, const Traits& traits) {
  const double base = traits_of(kind, find_mix(model.settings.mix).first_layer).sigma;
  const double sigma = kind == Kind::diffuse
                           ? traits.sigma / base * spread_sigma(base, model.settings.spread, model.context)
                           : traits.sigma;
  return sigma * std::sqrt(static_cast<double>(model.layout.content_dims()));  // κ: logits κ t·e have deviation σ
}

// One period for all heads of a group, log-uniform from some 700 tokens to a sixth of the context.
double slash_period(const KvHead& owner, Kind kind, std::int64_t kv) {
  const Model& model = owner.model;
  if (kind != Kind::slash) return 0;
  if (model.settings.slash_period > 0) return static_cast<double>(model.settings.slash_period);
  const double longest = std::max(2.0, static_cast<double>(model.context) / 6);
  const double shortest = std::min(700.0, longest / 2);
  const double u = uniform(model.heads.child({kSlashPeriod}), static_cast<std::uint64_t>(kv));
  return std::round(shortest * portable::exp(u * portable::log(longest / shortest)));
}

}  // namespace

Traits head_traits(const Model& model, Kind kind, std::int64_t kv, std::int64_t head) {
  std::array<float, 8> group, own, z;
  normal_row(model.heads.child({kGroupTraits}), static_cast<std::uint64_t>(kv), 8, group.data());
  normal_row(model.heads.child({kHeadTraits}), static_cast<std::uint64_t>(head), 8, own.data());
  blend(.6, group, own, z.data());
  const Settings& knobs = model.settings;
  const auto vary = [&](std::size_t i, double spread) { return knobs.jitter * spread * static_cast<double>(z[i]); };

  Traits traits = traits_of(kind, find_mix(knobs.mix).first_layer);
  traits.gamma *= knobs.gamma_scale * portable::exp(vary(0, .18));
  traits.knee *= portable::exp(vary(1, .5));
  traits.sink_mass = scale_odds(traits.sink_mass, portable::log(knobs.sink_odds) + vary(2, .6));
  traits.heavy_mass = scale_odds(traits.heavy_mass, portable::log(knobs.heavy_odds) + vary(3, .6));
  traits.tail *= portable::exp(vary(4, .1));
  traits.sigma *= knobs.sigma_scale * portable::exp(vary(5, .12));
  return traits;
}

QueryHead::QueryHead(const KvHead& owner, std::int64_t kv, std::int64_t head, Kind kind, int threads)
    : owner_(owner),
      root_(std::sqrt(static_cast<double>(owner.model.head_dim))),
      traits_(head_traits(owner.model, kind, kv, head)),
      kappa_(content_size(owner.model, kind, traits_)),
      profile_(owner.model.rotation,
               profile_amplitudes(owner.model, traits_.gamma, traits_.knee, slash_period(owner, kind, kv))),
      solver_(owner, traits_, kappa_, kind == Kind::retrieval, profile_, threads),
      drift_(owner, head) {}

void QueryHead::tile(std::int64_t first, float* queries) const {
  std::vector<float> random = make_tile(drift_.components());
  drift_.tile(first, random.data());
  std::fill(queries, queries + owner_.model.head_dim * kTileRows, 0.0f);
  const PairTile out(queries, owner_.model.layout.pairs);
  position(random.data(), out);
  content(first, random.data() + 2 * owner_.model.layout.position * kTileRows, queries);
  masses(first, out);
  owner_.model.rotation.rotate(first, queries);
}

// The profile, in the direction of the mean key, plus noise.
void QueryHead::position(const float* noise, const PairTile& out) const {
  const auto sigma = static_cast<float>(owner_.model.settings.query_noise);
  const double size = root_ / kPositionKey;
  for (std::int64_t f = 0; f < owner_.model.layout.position; ++f) {
    const Amplitude a = profile_.amplitudes()[static_cast<std::size_t>(f)];
    const auto x = static_cast<float>(size * (a.re * owner_.cosine(f) - a.im * owner_.sine(f)));
    const auto y = static_cast<float>(size * (a.re * owner_.sine(f) + a.im * owner_.cosine(f)));
    const float* noise_x = noise + 2 * f * kTileRows;
    const float* noise_y = noise_x + kTileRows;
    for (std::int64_t r = 0; r < kTileRows; ++r) out.re(f)[r] = x + sigma * noise_x[r];
    for (std::int64_t r = 0; r < kTileRows; ++r) out.im(f)[r] = y + sigma * noise_y[r];
  }
}

// A topic on the sphere; rows that retrieve aim at the needle. `topic` is overwritten.
void QueryHead::content(std::int64_t first, float* topic, float* queries) const {
  const Layout& layout = owner_.model.layout;
  normalise_rows(layout.content_dims(), topic);
  for (std::int64_t r = 0; r < kTileRows; ++r)
    if (solver_.retrieves(first + r)) aim_row(owner_.needle_direction, kNeedleAim, topic + r);
  const auto size = static_cast<float>(kappa_ * root_ / kContentKey);
  for (std::int64_t c = 0; c < layout.content_dims(); ++c) {
    float* channel = queries + layout.content_channel(c) * kTileRows;
    for (std::int64_t r = 0; r < kTileRows; ++r) channel[r] = size * topic[c * kTileRows + r];
  }
}

// The biases of sink, needle and heavy tokens.
void QueryHead::masses(std::int64_t first, const PairTile& out) const {
  const Layout& layout = owner_.model.layout;
  const std::int64_t rows = std::min(kTileRows, owner_.model.context - first);
  std::array<double, kTileRows> first_logit;
  profile_.logits(first, first_logit.data());
  const std::vector<HeavyToken> heavy =
      owner_.heavy.within(std::max<std::int64_t>(0, first - MassSolver::kNear), first + rows);
  const double sink_step = static_cast<double>(layout.sinks) * (kSinkKey - kOrdinarySinkKey);
  const double slope = traits_.tail * portable::log(1.0 + static_cast<double>(owner_.heavy.count()));
  for (std::int64_t r = 0; r < rows; ++r) {
    const Biases bias = solver_.at(first + r, first_logit[static_cast<std::size_t>(r)], heavy);
    const auto sink = static_cast<float>(bias.sink * root_ / sink_step);
    for (std::int64_t f = layout.sink; f < layout.sink + layout.sinks; ++f) {
      out.re(f)[r] = sink * owner_.cosine(f);
      out.im(f)[r] = sink * owner_.sine(f);
    }
    const auto mark = static_cast<float>(bias.needle * root_ / kMarkKey);
    out.re(layout.outlier)[r] = -mark * owner_.sine(layout.outlier);
    out.im(layout.outlier)[r] = mark * owner_.cosine(layout.outlier);
    if (owner_.heavy.count() == 0) continue;
    out.re(layout.heavy)[r] = static_cast<float>(slope * root_ / kMarkKey);
    out.im(layout.heavy)[r] = static_cast<float>((bias.heavy - slope) * root_ / kMarkKey);
  }
}

}  // namespace attnscope::llm
