// SPDX-License-Identifier: Apache-2.0
// The fixed facts of one KV head, shared by its keys and the queries of its group.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/workload/llm_layout.hpp"
#include "harness/workload/llm_prompt.hpp"
#include "harness/workload/llm_settings.hpp"
#include "harness/workload/rotation.hpp"

namespace attnscope::llm {

/// Where random numbers come from. `head` belongs to the model (phases, kinds, jitter), `prompt` to one text.
enum Source : std::uint64_t {
  kPhases,
  kNeedleDirection,
  kKindAssignment,
  kSlashPeriod,
  kGroupTraits,
  kHeadTraits,
  kSegments,
  kParagraphs,
  kHeavy,
  kNeedlePlace,
  kSegmentContent,
  kParagraphContent,
  kKeyNoise,
  kSegmentValue,
  kValueNoise,
  kGroupTopic,
  kHeadTopic,
  kGroupFresh,
  kHeadFresh
};

/// What all heads of one problem share.
struct Model {
  Model(std::int64_t head_dim, std::int64_t context, const Settings& settings, std::uint64_t seed);

  std::int64_t head_dim;
  std::int64_t context;
  Settings settings;
  Layout layout;
  double base;
  Rotation rotation;
  NoiseStream heads;
  NoiseStream prompts;
};

// Amplitudes of the mean key, chosen so that |k| is about 27 at head_dim 128.
inline constexpr float kPositionKey = 3.0f;
inline constexpr float kContentKey = 12.0f;
inline constexpr float kMarkKey = 8.0f;  // heavy tokens; needles, in the free part of the outlier pair
inline constexpr float kSinkKey = 3.5f, kNearSinkKey = -4.0f, kOrdinarySinkKey = -5.0f;
inline constexpr float kNeedleAim = .97f;  // cosine to the needle direction, of needle keys and of queries that seek it

/// One KV head of one batch entry.
struct KvHead {
  KvHead(const Model& model, std::int64_t batch, std::int64_t head);

  NoiseStream stream(Source source) const { return prompt.child({source}); }
  /// Direction ψ_f of the mean key in pair f.
  float cosine(std::int64_t f) const { return phase_cosine[static_cast<std::size_t>(f)]; }
  float sine(std::int64_t f) const { return phase_sine[static_cast<std::size_t>(f)]; }

  const Model& model;
  NoiseStream prompt;
  std::vector<float> phase_cosine, phase_sine;  // [pair]
  std::vector<float> needle_direction;          // unit, [content dimension]
  Partition segments, paragraphs;
  HeavyTokens heavy;
  Needle needle;
};

}  // namespace attnscope::llm
