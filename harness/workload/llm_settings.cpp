// SPDX-License-Identifier: Apache-2.0
#include "harness/workload/llm_settings.hpp"

#include <fmt/format.h>

#include "harness/base/error.hpp"
#include "harness/workload/llm_kinds.hpp"

namespace attnscope::llm {
namespace {

Parameter real(std::string name, double value, double min, double max, std::string help) {
  return {.name = std::move(name),
          .type = ParameterType::real,
          .default_value = value,
          .min = min,
          .max = max,
          .choices = {},
          .help = std::move(help)};
}

Parameter integer(std::string name, std::int64_t value, double min, double max, std::string help) {
  return {.name = std::move(name),
          .type = ParameterType::integer,
          .default_value = value,
          .min = min,
          .max = max,
          .choices = {},
          .help = std::move(help)};
}

Parameter mix_parameter() {
  Parameter mix{.name = "mix",
                .type = ParameterType::choice,
                .default_value = "body",
                .choices = {},
                .help = "Which kinds of heads: the body of a model, a band of its layers, or one kind alone."};
  for (const Mix& candidate : mixes()) mix.choices.push_back(candidate.name);
  return mix;
}

}  // namespace

const std::vector<Parameter>& parameters() {
  static const std::vector<Parameter> all{
      mix_parameter(),
      real("gamma_scale", 1, .25, 2, "Factor on every head's decay exponent: below 1 is less local."),
      real("sigma_scale", 1, 0, 2, "Factor on the standard deviation of the content logits: how far keys stand out."),
      real("sink_odds", 1, 0, 100, "Factor on the odds m/(1−m) of the mass on token 0."),
      real("heavy_odds", 1, 0, 100, "Factor on the odds m/(1−m) of the mass on heavy tokens."),
      real("spread", .8, .4, 1, "Diffuse heads: the share of keys that holds a given mass goes as kv_len^(spread−1)."),
      real("fresh", .3, 0, 1, "Share of a query's content that is new in every row; low values persist."),
      integer("topic_length", 64, 1, 1 << 20, "Tokens over which the persistent part of the queries drifts."),
      real("segment_share", .45, 0, 1, "Share of a key's content common to its segment: how friendly to blocks."),
      real("paragraph_share", .35, 0, 1, "Share of a key's content common to its paragraph."),
      integer("segment_length", 32, 2, 1 << 20, "Mean tokens of a segment; boundaries vary by 40 %."),
      integer("paragraph_length", 512, 2, 1 << 20, "Mean tokens of a paragraph; boundaries vary by 40 %."),
      integer("heavy_count", 448, 0, 1 << 20, "Heavy tokens at 4096 tokens of context."),
      real("heavy_growth", .3, 0, 1, "Heavy tokens grow as kv_len^heavy_growth."),
      real("group_corr", .8, 0, 1, "Share of a query's random part that the heads of a group have in common."),
      real("kind_agreement", .62, 0, 1, "Probability that a head copies the kind of its group's first head."),
      real("jitter", 1, 0, 2, "Spread of the traits between heads of one kind; 0 makes them alike."),
      integer("slash_period", 0, 0, 1 << 30, "Distance of the slash lines; 0 draws it per KV head."),
      real("needle_mass", .35, 0, .9, "Mass that retrieval heads put on their needle at 4096 visible keys."),
      integer("needle_length", 32, 1, 4096, "Tokens of the needle in each KV head."),
      real("outlier", 8, 0, 64, "A constant in one pair of every key: neutral to softmax, not to quantisers."),
      real("key_noise", .35, 0, 2, "Noise of the keys' position and sink channels."),
      real("query_noise", .65, 0, 4, "Noise of the queries' position channels."),
      real("sink_value", .05, 0, 1, "Norm of token 0's value relative to the others'."),
      integer("prompt_seed", 0, 0, 1e15, "Another prompt for the same heads."),
  };
  return all;
}

Settings settings_from(const Params& params) {
  Settings s{.mix = params.choice("mix"),
             .gamma_scale = params.real("gamma_scale"),
             .sigma_scale = params.real("sigma_scale"),
             .sink_odds = params.real("sink_odds"),
             .heavy_odds = params.real("heavy_odds"),
             .spread = params.real("spread"),
             .fresh = params.real("fresh"),
             .topic_length = params.integer("topic_length"),
             .segment_share = params.real("segment_share"),
             .paragraph_share = params.real("paragraph_share"),
             .segment_length = params.integer("segment_length"),
             .paragraph_length = params.integer("paragraph_length"),
             .heavy_count = params.integer("heavy_count"),
             .heavy_growth = params.real("heavy_growth"),
             .group_corr = params.real("group_corr"),
             .kind_agreement = params.real("kind_agreement"),
             .jitter = params.real("jitter"),
             .slash_period = params.integer("slash_period"),
             .needle_mass = params.real("needle_mass"),
             .needle_length = params.integer("needle_length"),
             .outlier = params.real("outlier"),
             .key_noise = params.real("key_noise"),
             .query_noise = params.real("query_noise"),
             .sink_value = params.real("sink_value"),
             .prompt_seed = params.integer("prompt_seed")};
  if (s.segment_share + s.paragraph_share > 1)
    throw InputError(fmt::format("workload llm: segment_share + paragraph_share must be at most 1, found {} + {}",
                                 s.segment_share, s.paragraph_share));
  return s;
}

}  // namespace attnscope::llm
