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

/// A selector of this kind: what is left to say is its name, its parameters and what they mean on a shape.
class Kind : public selectors::SelectorKind {
 public:
  std::unique_ptr<const Definition> define(const AttentionInputs& host, const Params& params,
                                           std::vector<SideTensor>) const final {
    return observed::define(host, settings_of(host.shape, params));
  }
  std::unique_ptr<selectors::Selector> prepare(Backend backend, const Task& task, const Params& params) const final {
    return make_selector(backend, task, settings_of(task.inputs.shape, params));
  }

 private:
  virtual Settings settings_of(const Shape& shape, const Params& params) const = 0;
};

}  // namespace attnscope::observed
