// SPDX-License-Identifier: Apache-2.0
// Tier T1: every kernel, copy and fill that a call launched, by stage. Only for builds with CUDA.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "harness/measure/cupti/stage_log.hpp"

namespace attnscope {

inline constexpr std::size_t kListedOccurrences = 16;

struct KernelTrace {
  std::vector<record::Stage> stages;     // with kernels, ordered by start; times count from the first of the call
  std::vector<std::size_t> occurrences;  // as StageLog::occurrences
  std::string left_out;                  // which kernels are not listed; empty when all are
};

/// Runs `call` once under CUPTI's activity records and waits for it. Copies and fills appear as kernels named `memcpy`
/// and `memset` without a grid; work launched outside every stage as a last stage `unstaged` of kind `attend`. Of a
/// stage that occurs again and again, chunk after chunk, the first kListedOccurrences are listed: the rest launch the
/// same kernels, a hundred thousand of them at a million tokens.
/// Throws CuptiError when tracing is refused.
KernelTrace trace_kernels(const std::string& method, const std::function<void(StageObserver&)>& call);

}  // namespace attnscope
