// SPDX-License-Identifier: Apache-2.0
// A method's output against exact attention: a quality number, never pass or fail.
#pragma once

#include <span>
#include <vector>

#include "harness/record/result.hpp"
#include "harness/verify/compare.hpp"
#include "harness/workload/workload.hpp"

namespace attnscope {

/// Judges `outputs` (host) on the rows of `exact`. The mass on the attended keys is exp(lse_attended − lse_exact),
/// since both are log-sums of the same exponentials (without a method's own weights). `mass_recall_non_sink` leaves out
/// key 0 on both sides, and rows that see nothing else. `task` may be null.
record::Accuracy accuracy(const AttentionInputs& inputs, const AttentionOutputs& outputs, const AttentionRows& exact,
                          const Comparison& comparison, const RetrievalTask* task);

/// Share of the task's rows whose output is nearest, by cosine, to the right candidate.
double task_score(const Shape& shape, const AttentionOutputs& outputs, const RetrievalTask& task);

}  // namespace attnscope
