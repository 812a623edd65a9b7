// SPDX-License-Identifier: Apache-2.0
// Double Sparsity's settings on one shape, and its prepared selector.
#pragma once

#include <memory>

#include "kernels/selectors/double_sparsity/channels.hpp"
#include "kernels/selectors/selector.hpp"

namespace attnscope::double_sparsity {

struct Settings {
  std::int64_t budget = 0;    // keys attended per query head
  std::int64_t channels = 0;  // kept per key
  int bits = 4;
  Target target = Target::qk;
  std::int64_t label_heads = 1;  // kv_heads or q_heads: how many sets of channels there are
};

Settings settings_of(const Shape& shape, const Params& params);

/// Stages `labels` (build), `label_scores`, `top_k`.
std::unique_ptr<selectors::Selector> make_selector(Backend backend, const Task& task, const Settings& settings);

}  // namespace attnscope::double_sparsity
