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

// out = √share · a + √(1 − share) · b
void blend(double share, const float* a, const float* b, std::int64_t count, float* out) {
  const auto x = static_cast<float>(std::sqrt(share)), y = static_cast<float>(std::sqrt(1 - share));
  for (std::int64_t i = 0; i < count; ++i) out[i] = x * a[i] + y * b[i];
}

}  // namespace

Traits head_traits(const Model& model, Kind kind, std::int64_t kv, std::int64_t head) {
  std::array<float, 8> group, own, z;
  normal_row(model.heads.child({kGroupTraits}), static_cast<std::uint64_t>(kv), 8, group.data());
  normal_row(model.heads.child({kHeadTraits}), static_cast<std::uint64_t>(head), 8, own.data());
  blend(.6, group.data(), own.data(), 8, z.data());
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
      traits_(head_traits(owner.model, kind, kv, head)),
      kappa_(content_size(owner.model, kind, traits_)),
      profile_(owner.model.rotation,
               profile_amplitudes(owner.model, traits_.gamma, traits_.knee, slash_period(owner, kind, kv))),
      solver_(owner, traits_, kappa_, kind == Kind::retrieval, profile_, threads),
      group_topic_(owner.stream(kGroupTopic)),
      head_topic_(owner.stream(kHeadTopic).child({static_cast<std::uint64_t>(head)})),
      group_fresh_(owner.stream(kGroupFresh)),
      head_fresh_(owner.stream(kHeadFresh).child({static_cast<std::uint64_t>(head)})) {}

// [component][kTileRows] normals that drift from knot to knot, one knot every topic_length tokens, plus a fresh part.
// Components: real and imaginary part of each position pair, then the content dimensions.
void QueryHead::random_part(std::int64_t first, float* out) const {
  const Settings& knobs = owner_.model.settings;
  const Layout& layout = owner_.model.layout;
  const std::int64_t count = round_up_to_quad(2 * layout.position + layout.content_dims());
  std::vector<float> group = make_tile(count), own = make_tile(count);
  normal_tile(group_fresh_, static_cast<std::uint64_t>(first), count, group.data());
  normal_tile(head_fresh_, static_cast<std::uint64_t>(first), count, own.data());
  blend(knobs.group_corr, group.data(), own.data(), count * kTileRows, out);
  const auto fresh = static_cast<float>(std::sqrt(knobs.fresh));
  for (std::int64_t x = 0; x < count * kTileRows; ++x) out[x] *= fresh;

  const auto knot_at = [&](std::int64_t index, float* knot) {
    normal_row(group_topic_, static_cast<std::uint64_t>(index), count, group.data());
    normal_row(head_topic_, static_cast<std::uint64_t>(index), count, own.data());
    blend(knobs.group_corr, group.data(), own.data(), count, knot);
  };
  std::vector<float> from(static_cast<std::size_t>(count)), to(static_cast<std::size_t>(count));
  const double length = static_cast<double>(knobs.topic_length), drifting = std::sqrt(1 - knobs.fresh);
  for (std::int64_t begin = 0; begin < kTileRows;) {
    const std::int64_t knot = (first + begin) / knobs.topic_length;
    const std::int64_t end = std::min(kTileRows, (knot + 1) * knobs.topic_length - first);
    knot_at(knot, from.data());
    knot_at(knot + 1, to.data());
    std::array<float, kTileRows> cosine, sine;
    for (std::int64_t r = begin; r < end; ++r) {
      const auto angle =
          portable::sine_cosine(static_cast<double>(first + r - knot * knobs.topic_length) / (4 * length));
      cosine[static_cast<std::size_t>(r)] = static_cast<float>(drifting * angle.cosine);
      sine[static_cast<std::size_t>(r)] = static_cast<float>(drifting * angle.sine);
    }
    for (std::int64_t c = 0; c < count; ++c) {
      const float a = from[static_cast<std::size_t>(c)], b = to[static_cast<std::size_t>(c)];
      for (std::int64_t r = begin; r < end; ++r)
        out[c * kTileRows + r] += cosine[static_cast<std::size_t>(r)] * a + sine[static_cast<std::size_t>(r)] * b;
    }
    begin = end;
  }
}

void QueryHead::tile(std::int64_t first, float* queries) const {
  const Model& model = owner_.model;
  const Layout& layout = model.layout;
  const double root = std::sqrt(static_cast<double>(model.head_dim));  // undoes the softmax scale
  const auto re = [&](std::int64_t pair) { return queries + pair * kTileRows; };
  const auto im = [&](std::int64_t pair) { return queries + (pair + layout.pairs) * kTileRows; };
  const auto cosine = [&](std::int64_t pair) { return owner_.phase_cosine[static_cast<std::size_t>(pair)]; };
  const auto sine = [&](std::int64_t pair) { return owner_.phase_sine[static_cast<std::size_t>(pair)]; };

  std::vector<float> random = make_tile(2 * layout.position + layout.content_dims());
  random_part(first, random.data());
  std::fill(queries, queries + model.head_dim * kTileRows, 0.0f);

  // Position: the profile, in the direction of the mean key, plus noise.
  const auto noise = static_cast<float>(model.settings.query_noise);
  for (std::int64_t f = 0; f < layout.position; ++f) {
    const Amplitude a = profile_.amplitudes()[static_cast<std::size_t>(f)];
    const double size = root / kPositionKey;
    const auto x = static_cast<float>(size * (a.re * cosine(f) - a.im * sine(f)));
    const auto y = static_cast<float>(size * (a.re * sine(f) + a.im * cosine(f)));
    const float* noise_x = &random[static_cast<std::size_t>(2 * f * kTileRows)];
    const float* noise_y = noise_x + kTileRows;
    for (std::int64_t r = 0; r < kTileRows; ++r) re(f)[r] = x + noise * noise_x[r];
    for (std::int64_t r = 0; r < kTileRows; ++r) im(f)[r] = y + noise * noise_y[r];
  }

  // Content: a topic on the sphere; rows that retrieve aim at the needle.
  float* topic = &random[static_cast<std::size_t>(2 * layout.position * kTileRows)];
  const std::int64_t rows = std::min(kTileRows, model.context - first);
  normalise_rows(layout.content_dims(), topic);
  for (std::int64_t r = 0; r < rows; ++r)
    if (solver_.retrieves(first + r)) aim_row(owner_.needle_direction, kNeedleAim, topic + r);
  const auto content = static_cast<float>(kappa_ * root / kContentKey);
  for (std::int64_t c = 0; c < layout.content_dims(); ++c)
    for (std::int64_t r = 0; r < kTileRows; ++r)
      queries[layout.content_channel(c) * kTileRows + r] = content * topic[c * kTileRows + r];

  // Masses: the biases of sink, heavy and needle tokens.
  std::array<double, kTileRows> first_logit;
  profile_.logits(first, first_logit.data());
  const std::vector<HeavyToken> heavy =
      owner_.heavy.within(std::max<std::int64_t>(0, first - MassSolver::kNear), first + rows);
  const double slope = traits_.tail * portable::log(1.0 + static_cast<double>(owner_.heavy.count()));
  for (std::int64_t r = 0; r < rows; ++r) {
    const Biases bias = solver_.at(first + r, first_logit[static_cast<std::size_t>(r)], heavy);
    const auto sink =
        static_cast<float>(bias.sink * root / (static_cast<double>(layout.sinks) * (kSinkKey - kOrdinarySinkKey)));
    for (std::int64_t f = layout.sink; f < layout.sink + layout.sinks; ++f) {
      re(f)[r] = sink * cosine(f);
      im(f)[r] = sink * sine(f);
    }
    const auto mark = static_cast<float>(bias.needle * root / kMarkKey);
    re(layout.outlier)[r] = -mark * sine(layout.outlier);
    im(layout.outlier)[r] = mark * cosine(layout.outlier);
    if (owner_.heavy.count() > 0) {
      re(layout.heavy)[r] = static_cast<float>(slope * root / kMarkKey);
      im(layout.heavy)[r] = static_cast<float>((bias.heavy - slope) * root / kMarkKey);
    }
  }
  model.rotation.rotate(first, queries);
}

}  // namespace attnscope::llm
