// SPDX-License-Identifier: Apache-2.0
#include "reports/compare/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "harness/base/median.hpp"
#include "reports/compare/statistics.hpp"
#include "reports/figure/text.hpp"
#include "reports/figure/wording.hpp"

namespace attnscope::reports {
namespace {

using record::Point;
using record::Record;
using record::Status;

bool timed(const Point& point) { return point.status == Status::ok && point.time && !point.time->samples_ns.empty(); }

// How far the rates that `device` was measured to be capable of differ between two runs, the larger over the smaller
// minus 1: the median over its ceilings, since one of them may be off by itself.
double machine_shift(const Record& base, const Record& current, const std::string& device) {
  const nlohmann::json::json_pointer where("/ceilings/" + device);
  if (!base.context.contains(where) || !current.context.contains(where)) return 0;
  std::vector<double> shifts;
  for (const auto& [name, ceiling] : base.context[where].items()) {
    const double before = ceiling.value("median", 0.0);
    const double after = current.context[where].value(name, nlohmann::json::object()).value("median", 0.0);
    if (before > 0 && after > 0) shifts.push_back(std::max(before, after) / std::min(before, after) - 1);
  }
  return shifts.empty() ? 0 : median(shifts);
}

// Both outputs lie within their tolerance of the same reference, so by the triangle inequality two correct runs differ
// in rel_l2 by no more than the sum. Points that were never checked may differ by rounding to half precision (2⁻⁸ of
// 1).
std::optional<std::string> less_accurate(const Point& base, const Point& current) {
  if (!base.accuracy.rel_l2 || !current.accuracy.rel_l2) return std::nullopt;
  const double unchecked = 0x1p-8;
  const double allowed = (base.verified ? base.verified->tolerance : unchecked) +
                         (current.verified ? current.verified->tolerance : unchecked);
  const double worse = *current.accuracy.rel_l2 - *base.accuracy.rel_l2;
  if (worse <= allowed) return std::nullopt;
  return fmt::format("rel_l2 {} → {}, {} more than the {} allowed", number(*base.accuracy.rel_l2),
                     number(*current.accuracy.rel_l2), number(worse), number(allowed));
}

// 1 when `ratio` is a slow-down by more than `effect`, −1 when it is a speed-up by as much, else 0.
int beyond(double ratio, double effect) { return (ratio > 1 + effect) - (ratio < 1 / (1 + effect)); }

void judge_time(const Point& base, const Point& current, double shift, const CompareOptions& options,
                PointComparison& out) {
  const auto& before = base.time->samples_ns;
  const auto& after = current.time->samples_ns;
  const RatioInterval interval = median_ratio(before, after, options.alpha);
  const double p = mann_whitney_p(before, after);
  const double effect = std::max({options.min_effect, drift(before), drift(after), shift});
  out.ratio = interval.ratio;
  out.low = interval.low;
  out.high = interval.high;
  out.p = p;
  out.effect = effect;

  const bool significant = p < options.alpha && (interval.low > 1 || interval.high < 1);
  const bool large = beyond(interval.ratio, effect) != 0;
  const double fast = fast_ratio(before, after);
  const bool fast_too = beyond(fast, options.min_effect) == beyond(interval.ratio, options.min_effect);
  const bool notable = beyond(interval.ratio, options.min_effect) != 0;
  if (significant && large && fast_too) {
    out.verdict = interval.ratio > 1 ? Verdict::slower : Verdict::faster;
    out.reason = fmt::format("ratio {:.3f} [{:.3f}, {:.3f}], p {:.1e}", interval.ratio, interval.low, interval.high, p);
  } else if (notable) {
    out.verdict = Verdict::ambiguous;
    if (!significant)
      out.reason = fmt::format("ratio {:.3f} not significant: [{:.3f}, {:.3f}], p {:.2g}", interval.ratio, interval.low,
                               interval.high, p);
    else if (!large)
      out.reason = fmt::format("ratio {:.3f} within the noise of {}", interval.ratio, percent(effect));
    else
      out.reason = fmt::format("ratio {:.3f}, but {:.3f} of the fastest tenth: interference", interval.ratio, fast);
  } else {
    out.verdict = Verdict::same;
    out.reason = fmt::format("ratio {:.3f}", interval.ratio);
  }
}

PointComparison judge(const Point& base, const Point& current, double shift, const CompareOptions& options) {
  PointComparison out;
  if (!timed(current)) {
    out.verdict =
        current.status == Status::skipped || current.status == Status::ok ? Verdict::missing : Verdict::wrong_now;
    out.reason = current.status == Status::ok
                     ? "not timed"
                     : fmt::format("{}: {}", record::to_string(current.status), current.reason);
  } else if (const auto reason = less_accurate(base, current)) {
    out.verdict = Verdict::wrong_now;
    out.reason = *reason;
  } else {
    judge_time(base, current, shift, options, out);
  }
  return out;
}

std::map<std::string, const Point*> by_key(const Record& record) {
  std::map<std::string, const Point*> out;
  for (const Point& point : record.points) out.emplace(record::key(point), &point);
  return out;
}

}  // namespace

std::vector<PointComparison> compare(const Record& base, const Record& current, const CompareOptions& options) {
  const Wording base_words(base);
  const Wording new_words(current);
  const auto old_points = by_key(base);
  const auto new_points = by_key(current);
  const double cpu_shift = machine_shift(base, current, "cpu");
  const double gpu_shift = machine_shift(base, current, "gpu");

  std::vector<PointComparison> out;
  for (const Point& point : base.points) {
    if (!timed(point)) continue;
    const auto match = new_points.find(record::key(point));
    if (match == new_points.end())
      out.push_back({.verdict = Verdict::missing, .reason = "not in the new record"});
    else
      out.push_back(judge(point, *match->second, on_device(point.backend) ? gpu_shift : cpu_shift, options));
    out.back().key = record::key(point);
    out.back().label = base_words.label(point);
  }
  for (const Point& point : current.points) {
    const auto match = old_points.find(record::key(point));
    if (!timed(point) || (match != old_points.end() && timed(*match->second))) continue;
    out.push_back({.key = record::key(point),
                   .label = new_words.label(point),
                   .verdict = Verdict::added,
                   .reason = match == old_points.end()
                                 ? "not in the base record"
                                 : fmt::format("was {}", record::to_string(match->second->status))});
  }
  return out;
}

std::optional<std::string> busy(const Record& record) {
  const nlohmann::json& context = record.context;
  const nlohmann::json::json_pointer first("/load_avg/0");
  if (!context.contains(first) || !context.contains("num_cpus")) return std::nullopt;
  const double load = context[first].get<double>();
  const auto cpus = context["num_cpus"].get<double>();
  if (load <= cpus) return std::nullopt;
  return fmt::format("the machine was busy when it started: load {:.1f} on {} CPUs", load, cpus);
}

int exit_code(const std::vector<PointComparison>& points, bool strict) {
  const auto any = [&](Verdict verdict) {
    return std::ranges::find(points, verdict, &PointComparison::verdict) != points.end();
  };
  if (any(Verdict::wrong_now)) return 4;
  if (any(Verdict::slower)) return 1;
  if (strict && (any(Verdict::ambiguous) || any(Verdict::missing))) return 5;
  return 0;
}

}  // namespace attnscope::reports
