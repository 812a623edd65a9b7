// SPDX-License-Identifier: Apache-2.0
// Workloads: where Q, K and V come from. A pure function of (name, params, seed, shape): the same bytes for every
// method, any thread count and any machine.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/attention.hpp"
#include "harness/device/buffer.hpp"
#include "harness/method/method.hpp"
#include "harness/method/params.hpp"

namespace attnscope {

/// Something that a correct attention output reveals: row `rows[i]` retrieves candidate `answers[i]`, that is, its
/// output lies nearer (by cosine) to that candidate than to any other.
struct RetrievalTask {
  std::vector<Row> rows;
  std::vector<std::int64_t> answers;
  std::vector<float> candidates;  // [candidate, head_dim]
};

struct Problem {
  Shape shape;
  Phase phase = Phase::prefill;
  Buffer q, k, v;  // host
  Buffer past_q;   // host; empty when shape.history is 0
  std::optional<RetrievalTask> task;
  nlohmann::json provenance = nlohmann::json::object();

  AttentionInputs inputs() const;
  /// Hex digest over the bytes of q, k, v and past_q and their shapes.
  std::string hash() const;
};

struct WorkloadInfo {
  std::string name;
  std::string title;
  std::string help;  // what it is for, one or two sentences
  std::vector<Parameter> parameters;
};

class Workload {
 public:
  virtual ~Workload() = default;
  virtual const WorkloadInfo& info() const = 0;
  /// Uses up to `threads` std::threads. Throws InputError when the parameters and the shape do not fit together.
  virtual Problem make(const Shape& shape, Phase phase, const Params& params, std::uint64_t seed,
                       int threads) const = 0;
};

/// Validates `shape` and allocates its tensors, uninitialised. Throws InputError and OutOfMemory.
Problem allocate_problem(const Shape& shape, Phase phase);

/// gaussian, llm, needle. (`file` is not a generator: see file.hpp.)
const std::vector<const Workload*>& workloads();
const Workload& find_workload(std::string_view name);

}  // namespace attnscope
