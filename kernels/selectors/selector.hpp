// SPDX-License-Identifier: Apache-2.0
// Selectors: cheap choices of keys for one decoding step. A room attends what a selector chooses; Twilight prunes it
// first. One folder per selector, registered by name, so that Twilight takes any of them as its base.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/method/method.hpp"
#include "kernels/core/queue.hpp"
#include "kernels/core/selection.hpp"

namespace attnscope::selectors {

/// A selector, prepared for one task (q_len = 1) on one backend.
class Selector {
 public:
  virtual ~Selector() = default;

  /// The amortised structures, inside stages of kind `build`.
  virtual void build(StageObserver&) {}
  /// Writes the lists, inside stages of kind `select`. Enqueues only.
  virtual void select(StageObserver&) {}
  /// One list per (batch, head), in the memory space of the backend: begin[r] = r · capacity, indices ascending. The
  /// pointers are the same before and after `select`.
  virtual TokenList lists() const = 0;
  /// No list has more indices.
  virtual std::int64_t capacity() const = 0;

  // Asked after a run has completed.
  virtual std::vector<StageCost> costs() const { return {}; }  // build stages first
  virtual std::vector<SideTensor> side_tensors() const { return {}; }
  virtual std::vector<SideTensor> built() const { return {}; }
  virtual std::vector<KeySet> key_sets(const Row&) const { return {}; }
};

/// What kind of selector there is: stateless, one instance each.
class SelectorKind {
 public:
  virtual ~SelectorKind() = default;
  virtual std::string_view name() const = 0;
  virtual const std::vector<Parameter>& parameters() const = 0;
  /// Why it cannot choose for this shape, which has q_len = 1, or nothing.
  virtual std::optional<std::string> unsupported(const Shape& shape, Backend backend, const Params& params) const = 0;
  /// True when it would choose every key whatever the inputs. Nothing is prepared then: attention is dense.
  virtual bool keeps_all(const Shape& shape, const Params& params) const = 0;
  /// `built` as in Method::define. Requires !keeps_all(...), like `prepare`.
  virtual std::unique_ptr<const Definition> define(const AttentionInputs& host, const Params& params,
                                                   std::vector<SideTensor> built) const = 0;
  /// Requires !keeps_all(...).
  virtual std::unique_ptr<Selector> prepare(Backend backend, const Task& task, const Params& params) const = 0;
};

/// Attends just what `selector` chooses: its stages, then `attend`.
std::unique_ptr<Execution> attend_selected(Backend backend, const Task& task, std::unique_ptr<Selector> selector);

/// The same for a room that is one selector: exact attention when that keeps everything.
std::unique_ptr<Execution> attend_selected(Backend backend, const Task& task, const SelectorKind& kind,
                                           const Params& params);

/// Why a room that decodes with `kind` cannot run, or nothing: wrong phase, several queries, what the engines or the
/// selector do not support.
std::optional<std::string> decode_unsupported(const SelectorKind& kind, const Shape& shape, Phase phase,
                                              Backend backend, const Params& params);

}  // namespace attnscope::selectors
