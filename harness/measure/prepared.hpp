// SPDX-License-Identifier: Apache-2.0
// A problem with its exact answers, made once and mapped by every process that needs it: all methods see the same
// bytes.
#pragma once

#include <string>

#include "harness/config/config.hpp"
#include "harness/verify/exact.hpp"
#include "harness/workload/file.hpp"

namespace attnscope {

struct Prepared {
  MappedProblem problem;
  AttentionRows exact;  // of sampled rows
  std::string hash;     // MappedProblem::hash()
};

/// What a call of `spec` reads, on the host and contiguous; the shape says in which pages a backend keeps its cache.
AttentionInputs host_inputs(const Prepared& prepared, const PointSpec& spec);

/// Makes the inputs of `spec` (or checks those of its file), computes exact attention of its sampled rows on up to
/// `threads` threads, and writes both below `directory` for map_prepared. Throws InputError when the inputs are bad.
void prepare_problem(const PointSpec& spec, const std::string& directory, int threads);

/// What prepare_problem has left below `directory`.
Prepared map_prepared(const std::string& directory);

}  // namespace attnscope
