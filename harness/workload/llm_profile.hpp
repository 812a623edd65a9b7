// SPDX-License-Identifier: Apache-2.0
// How a head's logits depend on distance alone: g(Δ) = Σ_f Re(a_f e^{iθ_fΔ}) over the position pairs.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/workload/llm_kinds.hpp"
#include "harness/workload/llm_model.hpp"

namespace attnscope::llm {

struct Amplitude {
  double re = 0;
  double im = 0;
};

/// Equal amplitudes on a log-spaced ladder of frequencies are a power law: g ≈ −γ ln Δ. The fast end is tapered, which
/// makes a plateau below `knee`; the slow end too. Slash heads repeat the profile at one and two periods.
/// `slash_period` 0 means no repetition. Result: [position pair].
std::vector<Amplitude> profile_amplitudes(const Model& model, double gamma, double knee, double slash_period);

class DistanceProfile {
 public:
  /// `rotation` must outlive the profile.
  DistanceProfile(const Rotation& rotation, std::vector<Amplitude> amplitudes);

  const std::vector<Amplitude>& amplitudes() const { return amplitudes_; }

  /// g(first + r) for r < kTileRows.
  void logits(std::int64_t first, double* g) const;

  /// G(n) = Σ_{Δ<n} e^{g(Δ)} for n = 0 … count, the same bits for any number of threads.
  std::vector<double> prefix_mass(std::int64_t count, int threads) const;

 private:
  const Rotation& rotation_;
  std::vector<Amplitude> amplitudes_;
};

}  // namespace attnscope::llm
