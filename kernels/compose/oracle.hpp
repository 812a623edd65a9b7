// SPDX-License-Identifier: Apache-2.0
// The oracles: the exact logit of every visible key, a rule that chooses among them, attention over the chosen.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "harness/method/method.hpp"
#include "kernels/compose/engine.hpp"

namespace attnscope::compose {

/// A rule that turns rows of logits into lists.
struct ChoiceRule {
  std::string stage;           // its name: "top_k"
  std::int64_t capacity = 0;   // no list is longer; 0: as long as a row of scores
  double flops_per_score = 1;  // comparisons and exponentials
  std::function<void(const Engine&, const select::Scores&, const select::Lists&, void* workspace)> choose;
};

/// Stages `logits`, the rule's and `attend`, recurring chunk by chunk. `backend` is cpu or cuda.
std::unique_ptr<Execution> make_oracle(Backend backend, const Task& task, ChoiceRule rule);

}  // namespace attnscope::compose
