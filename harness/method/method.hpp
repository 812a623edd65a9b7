// SPDX-License-Identifier: Apache-2.0
// The contract between the harness and a method's room. The harness knows no method by name; a room knows nothing of
// clocks, counters or files.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/base/attention.hpp"
#include "harness/base/shape.hpp"
#include "harness/device/buffer.hpp"
#include "harness/method/params.hpp"
#include "harness/method/stage.hpp"

namespace attnscope {

struct Paper {
  std::string title;
  std::string authors;
  int year = 0;
  std::string venue;
  std::string url;
};

struct MethodInfo {
  std::string name;   // as configs write it: "quest"
  std::string title;  // as figures write it: "Quest"
  std::vector<Phase> phases = {};
  std::vector<Backend> backends = {};
  bool trains = false;         // has a backward pass
  bool reconstructed = false;  // parts of the published method had to be reconstructed; the README says which
  std::string knob;            // the parameter that trades accuracy for cost; empty when there is none
  std::vector<Parameter> parameters = {};
  Paper paper;
};

/// The keys that a method's definition selects for one row, both lists ascending and disjoint. A backend computing in
/// float may take or leave each key of `borderline`: its score lies within rounding of the threshold.
struct RowSelection {
  std::vector<std::int32_t> keys;
  std::vector<std::int32_t> borderline;
  /// How many keys of `borderline` a correct selection takes: between these, inclusive.
  std::int64_t borderline_min = 0;
  std::int64_t borderline_max = 0;
  /// What is wrong with the built structures that the definition was given, as far as this row shows; empty when
  /// nothing is.
  std::string fault = {};
};

/// What a row's output is made of beyond softmax attention over its attended keys:
///   o = Σ_t e^{l_t} v_t / Σ_t e^{l_t},  lse = ln Σ_t e^{l_t},
/// over the attended keys with l = scale · q · k + log_weight, and over `extra` terms with a logit and a value of their
/// own (a cluster that stands for its keys).
struct RowTerms {
  std::vector<double> log_weight = {};  // parallel to the attended keys; empty: none
  std::vector<double> extra_logits = {};
  std::vector<double> extra_values = {};  // [extra, head_dim]
  /// How far a correct backend's weights and extra logits may lie from these, absolutely.
  double logit_error = 0;

  /// Softmax attention over the attended keys, nothing else.
  bool plain() const { return log_weight.empty() && extra_logits.empty(); }
};

/// A tensor that a method drew or built (page bounds, codes, scores), for --dump-outputs; written as `side.<name>`.
struct SideTensor {
  std::string name;
  std::string dtype;  // safetensors spelling: "F32", "BF16", "I32", "U8", ...
  std::vector<std::int64_t> dims;
  std::vector<std::byte> bytes;
};

/// What an execution works on. All pointers are in the memory space of its backend and outlive it.
struct Task {
  Phase phase = Phase::prefill;
  AttentionInputs inputs;
  AttentionOutputs outputs;
  void* stream = nullptr;  // cudaStream_t for device backends; launches go there and nowhere else
};

/// Keys that a method considered on the way to those it attends, by name ("candidates"): the record tells their true
/// attention mass.
struct KeySet {
  std::string name;
  std::vector<std::int32_t> keys;  // ascending
};

/// A method's definition on one problem, in double, from host tensors: obvious loops, no code shared with backends.
/// Safe to ask from several threads.
class Definition {
 public:
  virtual ~Definition() = default;
  virtual RowSelection select_row(const Row& row) const = 0;
  /// `keys` are those that were attended, ascending.
  virtual RowTerms terms(const Row&, std::span<const std::int32_t> /*keys*/) const { return {}; }
};

/// A method, prepared for one task on one backend: workspace allocated, nothing computed yet.
class Execution {
 public:
  virtual ~Execution() = default;

  /// Makes the amortised structures, inside stages of kind `build`. Called once before `run`, and again to time it.
  virtual void build(StageObserver&) {}
  /// One call: reads the inputs and writes every element of the outputs. Enqueues only on device backends: no
  /// allocation, no synchronisation, so that it can be captured in a CUDA graph (unless `capturable` says otherwise).
  virtual void run(StageObserver& observer) = 0;
  /// False, with the reason, when `run` cannot be captured in a CUDA graph.
  virtual std::optional<std::string> not_capturable() const { return std::nullopt; }

  // The rest is asked after a run has completed (the stream is idle), never while timing.

  /// Attended (query, key) pairs of the last run, exactly, over all batches and query heads.
  virtual std::uint64_t attended_pairs() const = 0;
  /// Keys that `row` attended in the last run, ascending. May recompute the row's selection with the same kernels.
  virtual void attended_keys(const Row& row, std::vector<std::int32_t>& keys) const = 0;
  /// Cost of the last run by stage, build stages included, in the order in which stages first occur.
  virtual std::vector<StageCost> costs() const = 0;
  /// What the method drew or built, and intermediate lists of the last run; written by --dump-outputs.
  virtual std::vector<SideTensor> side_tensors() const { return {}; }
  /// Those of the side tensors that the definition takes as given (`Method::define`).
  virtual std::vector<SideTensor> built() const { return {}; }
  virtual std::vector<KeySet> key_sets(const Row&) const { return {}; }
};

/// One room. Stateless; one instance lives in the registry.
class Method {
 public:
  virtual ~Method() = default;
  virtual const MethodInfo& info() const = 0;

  /// Why this combination cannot run (shape, parameter, missing instruction set), or nothing. `params` are resolved.
  virtual std::optional<std::string> unsupported(const Shape& shape, Phase phase, Backend backend,
                                                 const Params& params) const = 0;

  /// The method's definition on `host`, which outlives it. `built` are structures that a backend made and whose making
  /// is not exactly reproducible (centroids of a k-means, drawn hash matrices): the definition takes them as given and
  /// checks them. Empty for the reference backend; the definition then makes its own.
  virtual std::unique_ptr<const Definition> define(const AttentionInputs& host, Phase phase, const Params& params,
                                                   std::vector<SideTensor> built) const = 0;

  /// Prepares `backend` (never Backend::reference: the harness runs that one from `define`).
  /// Allocates every workspace here, through Buffer. Throws OutOfMemory.
  virtual std::unique_ptr<Execution> prepare(Backend backend, const Task& task, const Params& params) const = 0;
};

}  // namespace attnscope
