// SPDX-License-Identifier: Apache-2.0
// What happens to one point: check, time, check again. Runs in a process of its own.
#pragma once

#include <string>

#include "harness/config/config.hpp"
#include "harness/measure/prepared.hpp"
#include "harness/record/result.hpp"

namespace attnscope {

/// The point that `spec` asks for, with nothing measured yet. `spec` is resolved (plan.hpp).
record::Point asked_point(const PointSpec& spec);

/// Measures `spec` on the current GPU or the CPU: status ok, skipped or wrong. `dump_path` names a safetensors file to
/// write inputs and outputs to, or is empty. Throws OutOfMemory, std::bad_alloc and whatever the method throws.
record::Point measure_point(const PointSpec& spec, const Prepared& prepared, const std::string& dump_path);

}  // namespace attnscope
