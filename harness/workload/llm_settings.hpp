// SPDX-License-Identifier: Apache-2.0
// The knobs of the llm workload, as parameters and resolved.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/method/params.hpp"

namespace attnscope::llm {

struct Settings {
  std::string mix;
  double gamma_scale, sigma_scale, sink_odds, heavy_odds;  // factors on every kind's traits
  double spread;
  double fresh;
  std::int64_t topic_length;
  double segment_share, paragraph_share;
  std::int64_t segment_length, paragraph_length;
  std::int64_t heavy_count;
  double heavy_growth;
  double group_corr, kind_agreement, jitter;
  std::int64_t slash_period;  // 0: drawn per KV head
  double needle_mass;
  std::int64_t needle_length;
  double outlier, key_noise, query_noise, sink_value;
  std::int64_t prompt_seed;
};

const std::vector<Parameter>& parameters();

/// Throws InputError when values do not fit together.
Settings settings_from(const Params& params);

}  // namespace attnscope::llm
