// SPDX-License-Identifier: Apache-2.0
#include "harness/workload/llm_model.hpp"

#include <cmath>

#include "harness/workload/portable_math.hpp"

namespace attnscope::llm {
namespace {

std::vector<float> random_direction(NoiseStream stream, std::int64_t dims) {
  std::vector<float> z(static_cast<std::size_t>(round_up_to_quad(dims)));
  normal_row(stream, 0, dims, z.data());
  z.resize(static_cast<std::size_t>(dims));
  float squares = 0;
  for (const float x : z) squares += x * x;
  for (float& x : z) x /= std::sqrt(squares);
  return z;
}

}  // namespace

Model::Model(std::int64_t dim, std::int64_t length, const Settings& knobs, std::uint64_t seed)
    : head_dim(dim),
      context(length),
      settings(knobs),
      layout(layout_for(dim)),
      base(rope_base(layout, length)),
      rotation(base, dim),
      heads(NoiseStream{seed}.child({0})),
      prompts(NoiseStream{seed}.child({1, static_cast<std::uint64_t>(knobs.prompt_seed)})) {}

KvHead::KvHead(const Model& owner, std::int64_t batch, std::int64_t head)
    : model(owner),
      prompt(owner.prompts.child({static_cast<std::uint64_t>(batch), static_cast<std::uint64_t>(head)})),
      needle_direction(random_direction(owner.heads.child({kNeedleDirection, static_cast<std::uint64_t>(head)}),
                                        owner.layout.content_dims())),
      segments(owner.settings.segment_length, owner.prompts.child({kSegments, static_cast<std::uint64_t>(batch)})),
      paragraphs(owner.settings.paragraph_length,
                 owner.prompts.child({kParagraphs, static_cast<std::uint64_t>(batch)})),
      heavy(owner.context, owner.settings, stream(kHeavy)),
      needle(place_needle(owner.context, owner.settings, stream(kNeedlePlace))) {
  const NoiseStream phases = owner.heads.child({kPhases, static_cast<std::uint64_t>(head)});
  for (std::int64_t f = 0; f < owner.layout.pairs; ++f) {
    const auto angle = portable::sine_cosine(uniform(phases, static_cast<std::uint64_t>(f)));
    phase_cosine.push_back(static_cast<float>(angle.cosine));
    phase_sine.push_back(static_cast<float>(angle.sine));
  }
}

}  // namespace attnscope::llm
