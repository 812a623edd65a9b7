// SPDX-License-Identifier: Apache-2.0
// A kernel's output against the method's own definition: pass or fail.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/method/method.hpp"
#include "harness/record/result.hpp"
#include "harness/verify/exact.hpp"

namespace attnscope {

/// What is wrong with a buffer that was poisoned (all bits set) before the call: the first element of `o` or `lse` that
/// is still NaN. Nothing when every element was written. Host memory.
std::optional<std::string> unwritten_output(const Shape& shape, const AttentionOutputs& host);

/// What is wrong with the keys that a backend attended, ascending, where the definition says `defined`: a key that must
/// be attended is missing, one is attended that may not be, or the number of borderline keys is out of bounds; or what
/// the definition found wrong itself.
std::optional<std::string> selection_fault(const RowSelection& defined, std::span<const std::int32_t> attended);

/// O and LSE of reference.rows against `reference`, row by row (tolerance.hpp). `verified` receives error and tolerance
/// of the row nearest to its limit, relative to ‖o_reference‖. Returns the first fault.
std::optional<std::string> compare_rows(const Shape& shape, const AttentionOutputs& host,
                                        const AttentionRows& reference, record::Verified& verified);

/// One verified call.
struct Comparison {
  record::Verified verified;
  std::optional<std::string> fault;
  // Per row of `exact`:
  AttentionRows attended;            // what the definition makes of the keys that the backend attended, in double
  std::vector<double> attended_lse;  // of the exact logits of those keys: what their true mass follows from
  std::vector<char> attends_first;   // whether key 0 was attended
  std::map<std::string, std::vector<double>> key_sets_lse;  // the same of Execution::key_sets, by name
};

/// What was called, as seen from the host after the call has completed.
struct CompletedCall {
  const Method& method;
  const Params& params;
  Phase phase;
  AttentionInputs inputs;    // host
  AttentionOutputs outputs;  // host
  const Execution& execution;
};

/// Judges a call on the rows of `exact`: every element written; the attended keys of each row allowed by the method's
/// definition (of at least 8 rows, and as many as 2^27 keys make); the exact count of pairs where all rows are
/// judged; then O and LSE against what the definition makes of the attended keys in double.
Comparison compare_with_reference(const CompletedCall& call, const AttentionRows& exact, int threads);

}  // namespace attnscope
