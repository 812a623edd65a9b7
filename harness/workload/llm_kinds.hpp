// SPDX-License-Identifier: Apache-2.0
// The kinds of attention heads, what makes each of them, and how many of each a layer has.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/workload/noise.hpp"

namespace attnscope::llm {

enum class Kind { sink, local, slash, vertical, retrieval, diffuse };
inline constexpr std::size_t kKinds = 6;

std::string_view to_string(Kind kind);

/// What a head asks of its attention; masses are shares of a row's softmax at 32 768 visible keys.
struct Traits {
  double gamma = 0;          // weight at distance Δ falls as Δ^−gamma …
  double knee = 0;           // … beyond a plateau of this many tokens
  double sink_mass = 0;      // on token 0
  double sink_dilution = 0;  // odds of the sink fall as visible^−sink_dilution
  double heavy_mass = 0;     // on the heavy tokens ("verticals")
  double tail = 0;           // heavy token of rank r weighs (1 + r)^−tail
  double sigma = 0;          // standard deviation of the content logits
};

/// Shares of the six kinds; they sum to 1.
struct Mix {
  std::string name;
  std::array<double, kKinds> shares;
  bool first_layer = false;  // diffuse heads as in layer 0: flatter still
};

/// "body", the bands of a 32-layer model, and each kind alone.
const std::vector<Mix>& mixes();
const Mix& find_mix(std::string_view name);

Traits traits_of(Kind kind, bool first_layer);

/// The kind of every query head: quotas as the mix says (largest remainder); within them the heads of a group copy
/// the group's first kind with probability `agreement`.
std::vector<Kind> assign_kinds(const Mix& mix, std::int64_t kv_heads, std::int64_t group, double agreement,
                               NoiseStream stream);

}  // namespace attnscope::llm
