// SPDX-License-Identifier: Apache-2.0
// Two records of the same points: what became faster, slower or wrong, and what cannot be told.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/record/result.hpp"

namespace attnscope::reports {

/// missing: timed in the base, absent or skipped in the new record. added: the reverse.
enum class Verdict { same, faster, slower, ambiguous, wrong_now, missing, added };

/// "SAME", "FASTER", "SLOWER", "AMBIGUOUS", "WRONG-NOW", "MISSING", "NEW".
std::string_view to_string(Verdict verdict);

struct CompareOptions {
  double alpha = 0.01;       // probability of any false SLOWER or FASTER in the whole comparison
  double min_effect = 0.03;  // changes of the median below this share are no finding
};

/// One point that is ok in at least one of the records.
struct PointComparison {
  std::string key = {};
  std::string label = {};  // the key in words, without what is the same everywhere
  Verdict verdict = Verdict::same;
  std::string reason = {};           // one clause: the number that decided
  std::optional<double> ratio = {};  // median new / median base
  std::optional<double> low = {};    // its interval, at 1 − alpha for this point alone
  std::optional<double> high = {};
  std::optional<double> p = {};       // adjusted for the number of points
  std::optional<double> effect = {};  // smallest change of the ratio that counts: min_effect or the noise, if larger
};

/// In the order of the base record, new points last. Points that failed in both are left out.
///
/// The unit of judgement is the process: samples of one share its luck (harness/record/processes.hpp), medians of
/// several are exchangeable while nothing has changed. Where a point has but one process in a record its samples have
/// to serve, and what the luck of a process does is taken from how far all such points scatter between the two records.
///
/// SLOWER and FASTER need all of this: a rank test's p < alpha after Holm's adjustment for the number of points, an
/// interval of the ratio that excludes 1, a ratio beyond the effect threshold of that point, and a fastest tenth of the
/// samples that moved the same way by min_effect or more. The threshold is min_effect or, where larger, the noise that
/// the records show: how far the machine's own ceilings moved between the two runs (they run the same code both times);
/// on the CPU, how much of it other work took, and processes beside which that was much do not count; and where there
/// is one process only, the drift of either series and four standard deviations of the points' scatter. Where only some
/// of it holds, or too little was measured, a change that could matter is AMBIGUOUS. WRONG-NOW: it ran before and is
/// wrong, crashed, out of memory or timed out now; or its output moved further from exact attention than the tolerances
/// allow within which both runs were checked. Why it is so: reports/decisions/0008-the-process-is-the-sampling-unit.md.
std::vector<PointComparison> compare(const record::Record& base, const record::Record& current,
                                     const CompareOptions& options = {});

/// Why the two records cannot be compared (another processor or GPU, other input bytes, no point in common), one clause
/// each; empty when they can.
std::vector<std::string> incomparable(const record::Record& base, const record::Record& current);

/// Why times of `record` on the CPU deserve little trust, in one clause; nothing when the machine was idle at the
/// start.
std::optional<std::string> busy(const record::Record& record);

/// Exit code of `attnscope compare`: 4 when something is wrong now, else 1 when something is slower, else with `strict`
/// 5 when something is ambiguous or missing, else 0.
int exit_code(const std::vector<PointComparison>& points, bool strict);

/// Aligned columns, then the count of each verdict.
std::string comparison_text(const std::vector<PointComparison>& points);

/// {"points": [{key, label, verdict, reason, ratio, low, high, p, effect}], "counts": {verdict: n}}
nlohmann::json comparison_json(const std::vector<PointComparison>& points);

}  // namespace attnscope::reports
