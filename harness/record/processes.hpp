// SPDX-License-Identifier: Apache-2.0
// A point measured in several processes. Where memory came to lie, which frequency the core had and who else ran differ
// from process to process and not within one, so the spread of one process's samples says nothing about the next.
#pragma once

#include <span>
#include <vector>

#include "harness/record/result.hpp"

namespace attnscope::record {

/// The samples of each process, in order; they point into `time`.
std::vector<std::span<const double>> process_series(const Time& time);
/// Their medians.
std::vector<double> process_medians(const Time& time);

/// One point from what its processes measured, in order: every sample; as median that of the processes' medians, with
/// the interval that they give; stages alike. All else is what the first process found. A failure in any process is the
/// point's. `results` is not empty.
Point merge_processes(std::span<const Point> results);

}  // namespace attnscope::record
