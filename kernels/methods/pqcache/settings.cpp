// SPDX-License-Identifier: Apache-2.0
#include "kernels/methods/pqcache/settings.hpp"

#include <algorithm>

namespace attnscope::pqcache {

Settings settings_of(const Shape& shape, const Params& params) {
  Settings settings;
  select::CodePlan& plan = settings.plan;
  plan.first = std::min(params.integer("sink"), shape.kv_len);
  plan.keys = shape.kv_len - plan.first;
  plan.parts = params.integer("subvectors");
  plan.bits = params.integer("bits");
  plan.iterations = params.integer("iterations");
  // Both shares are rounded down; the newest key, which decoding has just added, is always attended.
  const double budget = params.real("share") * static_cast<double>(plan.keys);
  const double recent = params.real("recent");
  settings.recent =
      std::clamp(static_cast<std::int64_t>(budget * recent), std::int64_t{1}, std::max(plan.keys, std::int64_t{1}));
  plan.candidates = std::max(plan.keys - settings.recent, std::int64_t{0});
  plan.choose = std::min(static_cast<std::int64_t>(budget * (1 - recent)), plan.candidates);
  return settings;
}

select::Points points_of(const AttentionInputs& inputs, const Settings& settings) {
  return {.in = inputs, .first = settings.plan.first, .keys = settings.plan.keys, .parts = settings.plan.parts};
}

}  // namespace attnscope::pqcache
