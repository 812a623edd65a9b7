// SPDX-License-Identifier: Apache-2.0
// PQCache's arithmetic of budgets, its definition, its choice of keys and what that costs.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernels/select/product_codes.hpp"
#include "kernels/selectors/selector.hpp"

namespace attnscope::pqcache {

/// Keys of a context, in order: `plan.first` sinks, `plan.candidates` of which `plan.choose` are chosen by their codes,
/// and `recent` ones. Sinks and recent keys are always attended; all keys behind the sinks have codes.
struct Settings {
  select::CodePlan plan;
  std::int64_t recent = 0;

  /// Keys that every head attends.
  std::int64_t attended() const { return plan.first + plan.choose + recent; }
  /// Everything is attended: no more keys than centroids, which the method leaves alone, or a share that takes all.
  bool keeps_all() const { return plan.keys <= plan.centroids() || plan.choose == plan.candidates; }
};

Settings settings_of(const Shape& shape, const Params& params);
select::Points points_of(const AttentionInputs& inputs, const Settings& settings);

std::unique_ptr<const Definition> define(const AttentionInputs& host, const Settings& settings,
                                         std::vector<SideTensor> built);

/// Stages `codes` (build), `rank_codes` and `list_keys`. One list per KV head. Requires !settings.keeps_all().
std::unique_ptr<selectors::Selector> make_selector(Backend backend, const Task& task, const Settings& settings);

/// Costs of these stages, in order.
std::vector<StageCost> costs(const Shape& shape, const Settings& settings);

}  // namespace attnscope::pqcache
