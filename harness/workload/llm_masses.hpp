// SPDX-License-Identifier: Apache-2.0
// Turns the masses that a head asks for into biases of its logits, in closed form, row by row.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "harness/workload/llm_kinds.hpp"
#include "harness/workload/llm_model.hpp"
#include "harness/workload/llm_profile.hpp"

namespace attnscope::llm {

/// ln E e^{κ t·e} for t fixed and e uniform on the unit sphere of `dims` (even) dimensions.
double log_mean_content(double kappa, std::int64_t dims);

/// σ at context N for a head that has `sigma` at 8192 tokens, such that the share of keys holding .93 of the mass goes
/// as N^(spread−1). For Gaussian logits that share is Φ(Φ⁻¹(.93) − σ).
double spread_sigma(double sigma, double spread, std::int64_t context);

/// Logits added to token 0, to the heaviest token and to needle tokens, over what position and content give them.
struct Biases {
  double sink = 0;
  double heavy = 0;
  double needle = 0;
};

class MassSolver {
 public:
  /// `kappa` is the size of the content logits; `seeks_needle` whether rows past the needle retrieve it.
  /// `head` and `profile` must outlive the solver.
  MassSolver(const KvHead& head, const Traits& traits, double kappa, bool seeks_needle, const DistanceProfile& profile,
             int threads);

  bool retrieves(std::int64_t position) const;
  /// The biases of the row at `position`, whose own g(position) is `first_logit` (the profile at token 0). `heavy` are
  /// the heavy tokens at least from position − kNear + 1 to position, in order.
  Biases at(std::int64_t position, double first_logit, std::span<const HeavyToken> heavy) const;

  /// Distances below this are near: heavy tokens there owe their weight to the profile as much as to their rank.
  static constexpr std::int64_t kNear = 256;

 private:
  struct Masses {
    double sink, heavy, needle, rest;
  };
  Masses masses(std::int64_t position) const;
  double needle_content(std::int64_t position) const;
  double near_excess(std::int64_t position, std::int64_t near, double heavy_bias,
                     std::span<const HeavyToken> heavy) const;

  const KvHead& head_;
  Traits traits_;
  double kappa_;
  bool seeks_needle_;
  std::vector<double> mass_;  // G(n)
  double log_content_;        // log_mean_content of an ordinary key
  double noise_variance_;     // of logits, from the noise of position channels
  std::vector<double> tail_;  // (1 + r)^−tail by rank
  double tail_sum_ = 0;
};

}  // namespace attnscope::llm
