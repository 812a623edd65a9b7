// SPDX-License-Identifier: Apache-2.0
#include "harness/workload/llm_masses.hpp"

#include <algorithm>
#include <cmath>

#include "harness/workload/portable_math.hpp"

namespace attnscope::llm {
namespace {

double power(double base, double exponent) { return portable::exp(exponent * portable::log(base)); }

}  // namespace

double log_mean_content(double kappa, std::int64_t dims) {
  // Γ(D/2) (2/κ)^{D/2−1} I_{D/2−1}(κ) = Σ_k (κ²/4)^k / (k! (D/2)_k): positive terms, no cancellation.
  const double x = kappa * kappa / 4;
  double term = 1, sum = 1;
  for (double k = 1; term > 1e-17 * sum; ++k) sum += term *= x / (k * (static_cast<double>(dims) / 2 + k - 1));
  return portable::log(sum);
}

double spread_sigma(double sigma, double spread, std::int64_t context) {
  constexpr double kQuantile = 1.4757910281791706;  // Φ⁻¹(.93)
  constexpr double kFlattest = .25, kLargestShare = .9;
  const double share = portable::normal_cdf(kQuantile - sigma) * power(static_cast<double>(context) / 8192, spread - 1);
  if (share > kLargestShare) return kFlattest;
  return std::max(kFlattest, kQuantile - portable::normal_quantile(share));
}

MassSolver::MassSolver(const KvHead& head, const Traits& traits, double kappa, bool seeks_needle,
                       const DistanceProfile& profile, int threads)
    : head_(head),
      traits_(traits),
      kappa_(kappa),
      seeks_needle_(seeks_needle && head.needle.last > head.needle.first),
      mass_(profile.prefix_mass(head.model.context, threads)),
      log_content_(log_mean_content(kappa, head.model.layout.content_dims())),
      noise_variance_(0) {
  const Settings& knobs = head.model.settings;
  const auto dim = static_cast<double>(head.model.head_dim);
  double query_energy = 0;  // Σ_f |q_f|² / d over the position pairs
  for (const Amplitude& a : profile.amplitudes())
    query_energy +=
        (a.re * a.re + a.im * a.im) / (kPositionKey * kPositionKey) + 2 * knobs.query_noise * knobs.query_noise / dim;
  noise_variance_ = knobs.key_noise * knobs.key_noise * query_energy;
  for (std::int64_t r = 0; r < head.heavy.count(); ++r) {
    tail_.push_back(power(1 + static_cast<double>(r), -traits.tail));
    tail_sum_ += tail_.back();
  }
}

bool MassSolver::retrieves(std::int64_t position) const { return seeks_needle_ && position >= head_.needle.last; }

MassSolver::Masses MassSolver::masses(std::int64_t position) const {
  const auto visible = static_cast<double>(position + 1);
  const double odds = traits_.sink_mass / (1 - traits_.sink_mass) * power(visible / 32768, -traits_.sink_dilution);
  const double sink = odds / (1 + odds);
  // Retrieval dilutes with context, as measured copy heads do.
  double needle = 0;
  if (retrieves(position))
    needle = std::min(.8 * (1 - sink), head_.model.settings.needle_mass * power(visible / 4096, -.2));
  // Of what sink and needle leave, the ordinary keys keep 5 % however much the heavy tokens ask for.
  const double heavy_part = head_.heavy.count() == 0 ? 0 : traits_.heavy_mass / (1 - traits_.sink_mass);
  const double heavy = (1 - sink - needle) * std::min(heavy_part, .95);
  return {.sink = sink, .heavy = heavy, .needle = needle, .rest = 1 - sink - needle - heavy};
}

// The content logit of needle keys: both sides aim at the needle direction, and the content pairs turn a little.
double MassSolver::needle_content(std::int64_t position) const {
  const Layout& layout = head_.model.layout;
  const std::int64_t middle = (head_.needle.first + head_.needle.last) / 2;
  const auto distance = static_cast<double>(position - middle);
  double turned = 0;
  for (std::int64_t f = layout.position; f < layout.position + layout.content; ++f)
    turned += portable::sine_cosine(head_.model.rotation.turns(f) * distance).cosine;
  return kappa_ * kNeedleAim * kNeedleAim * turned / static_cast<double>(layout.content);
}

// What near heavy tokens weigh, over what ordinary tokens in their places would; in units of G.
double MassSolver::near_excess(std::int64_t position, std::int64_t near, double heavy_bias,
                               std::span<const HeavyToken> heavy) const {
  const double level = portable::exp(heavy_bias);
  double excess = 0;
  for (const HeavyToken& token : heavy) {
    const std::int64_t distance = position - token.position;
    if (distance < 0 || distance >= near) continue;
    const auto d = static_cast<std::size_t>(distance);
    excess += (mass_[d + 1] - mass_[d]) * (level * tail_[static_cast<std::size_t>(token.rank)] - 1);
  }
  return excess;
}

Biases MassSolver::at(std::int64_t position, double first_logit, std::span<const HeavyToken> heavy) const {
  const auto n = static_cast<std::size_t>(position + 1);
  const Masses share = masses(position);
  const double mass = mass_[n];
  double others = mass * (1 - share.sink) / share.rest;  // all keys but the sink, in units of G
  Biases biases;

  // Heavy tokens share content and noise with the ordinary ones, so both cancel. Their places are uniform, so that
  // visible / context of them are there, at the mean weight of far tokens. Those that happen to be near add more.
  if (share.heavy > 0) {
    const std::int64_t near = std::min((position + 1) / 8, kNear);
    const double far_weight = (mass - mass_[static_cast<std::size_t>(near)]) / static_cast<double>(position + 1 - near);
    const double present = static_cast<double>(n) / static_cast<double>(head_.model.context);
    biases.heavy = portable::log(share.heavy / share.rest * mass / (present * tail_sum_ * far_weight));
    others += near_excess(position, near, biases.heavy, heavy);
  }

  if (share.needle > 0) {
    const auto nearest = static_cast<std::size_t>(position - head_.needle.last + 1);
    const auto farthest = static_cast<std::size_t>(position - head_.needle.first);
    const double there = mass_[farthest + 1] - mass_[nearest];
    biases.needle = portable::log(share.needle / share.rest * mass / there) + log_content_ - needle_content(position);
  }

  // Ordinary keys weigh e^{content + (ν² + ν_s²)/2} in expectation; ν_s² = β b² is the noise that the sink's own query
  // puts on them. So b = c + β b²/2, the smaller root.
  const double c =
      portable::log(share.sink / (1 - share.sink) * others) + log_content_ + noise_variance_ / 2 - first_logit;
  constexpr double kStep = kSinkKey - kOrdinarySinkKey;
  const double key_noise = head_.model.settings.key_noise;
  const double beta = key_noise * key_noise / (static_cast<double>(head_.model.layout.sinks) * kStep * kStep);
  biases.sink = 2 * c / (1 + std::sqrt(std::max(0.0, 1 - 2 * beta * c)));
  return biases;
}

}  // namespace attnscope::llm
