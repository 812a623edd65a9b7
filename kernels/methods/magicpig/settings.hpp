// SPDX-License-Identifier: Apache-2.0
// MagicPIG as the parameters of a run say.
#pragma once

#include <memory>
#include <vector>

#include "kernels/select/lsh.hpp"
#include "kernels/selectors/selector.hpp"

namespace attnscope::magicpig {

struct Settings {
  select::Lsh lsh;   // its keys are those between the sink and the window
  double floor = 0;  // added to a probability before its logarithm
};

const std::vector<Parameter>& parameters();

/// The sink and the window cover the context: attention is dense.
bool keeps_all(const Shape& shape, const Params& params);
/// Requires !keeps_all(...).
Settings settings_of(const Shape& shape, const Params& params);

/// Stages `centre`, `hash_keys`, `sort` (build), `hash`, `lookup`, `list` (select) and `weigh` (correct).
std::unique_ptr<selectors::Selector> make_selector(Backend backend, const Task& task, const Settings& settings);

/// `built` is what the selector built: `centre`, `table_begin`, `table_keys` and `query_codes`, laid out as in
/// select::LshTables. Empty: projections in double make codes of their own.
std::unique_ptr<const Definition> define(const AttentionInputs& host, const Settings& settings,
                                         std::vector<SideTensor> built);

}  // namespace attnscope::magicpig
