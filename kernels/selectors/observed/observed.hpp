// SPDX-License-Identifier: Apache-2.0
// Keys kept because earlier queries attended to them, and the most recent ones: what SnapKV and H2O have in common. The
// choice is made once, when the prompt has been read, and is part of the build; a decoding step only attends.
#pragma once

#include <memory>

#include "kernels/select/observe.hpp"
#include "kernels/selectors/selector.hpp"

namespace attnscope::observed {

struct Settings {
  std::int64_t queries = 0;  // earlier queries that are observed
  std::int64_t prefix = 0;   // keys that compete; those after them are all kept
  std::int64_t kept = 0;     // of the prefix, per query head
  select::Pool pool;         // of the observed attention, before the choice
};

/// In double, the observed attention computed anew for every row.
std::unique_ptr<const Definition> define(const AttentionInputs& host, const Settings& settings);

/// Stages `observe`, `pool` and `top_k`, all of the build.
std::unique_ptr<selectors::Selector> make_selector(Backend backend, const Task& task, const Settings& settings);

}  // namespace attnscope::observed
