// SPDX-License-Identifier: Apache-2.0
#include "reports/compare/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include "harness/base/median.hpp"
#include "harness/record/processes.hpp"
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

/// Beside more other work than this share of the CPUs, threads that wait for each other wait for whole time slices: on
/// two Xeon cores medians rose at most 3 % with 0.2, and up to a thousandfold with 0.5.
constexpr double kDisturbed = 0.1;

/// The time of a point by those of its processes that had the CPUs to themselves; a GPU does not share its.
record::Time undisturbed(const Point& point) {
  const record::Time& time = *point.time;
  if (on_device(point.backend) || time.process_others.empty()) return time;
  const auto series = record::process_series(time);
  record::Time kept;
  for (std::size_t i = 0; i < series.size(); ++i) {
    if (time.process_others[i] > kDisturbed) continue;
    kept.samples_ns.insert(kept.samples_ns.end(), series[i].begin(), series[i].end());
    kept.process_samples.push_back(time.process_samples[i]);
    kept.process_others.push_back(time.process_others[i]);
  }
  return kept;
}

/// Other work that takes the share s of the CPUs can stretch a call to 1/(1 − s) of its time.
double stretched_by_others(const record::Time& time) {
  if (time.process_others.empty()) return 0;
  const double share = median(time.process_others);
  return share / (1 - share);
}

/// Two timed points under one key, and what their times say before the other points are heard.
struct Pair {
  std::size_t place;  // of the verdict
  bool device;
  record::Time before, after;  // undisturbed
  bool by_process;             // several in both records
  RatioInterval interval;
  double p;
};

Pair make_pair(std::size_t place, bool device, const record::Time& before, const record::Time& after, double alpha) {
  const bool by_process = before.process_samples.size() > 1 && after.process_samples.size() > 1;
  const std::vector<double> a = by_process ? record::process_medians(before) : before.samples_ns;
  const std::vector<double> b = by_process ? record::process_medians(after) : after.samples_ns;
  return {place, device, before, after, by_process, median_ratio(a, b, alpha), mann_whitney_p(a, b)};
}

/// How far points of one process each scatter between the two records, as a share: four standard deviations of the
/// logarithm of their ratio, told by the median distance from its median, which points that did change hardly move. For
/// a normal distribution the standard deviation is 1.4826 times that distance.
double scatter(const std::vector<Pair>& pairs, bool device) {
  std::vector<double> logs;
  for (const Pair& pair : pairs)
    if (!pair.by_process && pair.device == device) logs.push_back(std::log(pair.interval.ratio));
  if (logs.empty()) return 0;
  const double middle = median(logs);
  for (double& value : logs) value = std::abs(value - middle);
  return std::expm1(4 * 1.4826 * median(logs));
}

/// What all points of a device have in common.
struct DeviceNoise {
  double shift = 0;    // of the ceilings
  double scatter = 0;  // of points with one process
};

/// The smallest change of the ratio that counts.
double effect_of(const Pair& pair, const DeviceNoise& noise, double min_effect) {
  double effect = std::max(min_effect, noise.shift);
  if (!pair.device) effect = std::max({effect, stretched_by_others(pair.before), stretched_by_others(pair.after)});
  if (!pair.by_process)
    effect = std::max({effect, noise.scatter, drift(pair.before.samples_ns), drift(pair.after.samples_ns)});
  return effect;
}

std::string counted(const Pair& pair) {
  if (!pair.by_process) return "of one process";
  return fmt::format("of {} and {} processes", pair.before.process_samples.size(), pair.after.process_samples.size());
}

/// `p` is adjusted.
void judge_time(const Pair& pair, double p, const DeviceNoise& noise, const CompareOptions& options,
                PointComparison& out) {
  const RatioInterval& interval = pair.interval;
  const double effect = effect_of(pair, noise, options.min_effect);
  out.ratio = interval.ratio;
  out.low = interval.low;
  out.high = interval.high;
  out.p = p;
  out.effect = effect;

  const bool significant = p < options.alpha && (interval.low > 1 || interval.high < 1);
  const bool large = beyond(interval.ratio, effect) != 0;
  const double fast = fast_ratio(pair.before.samples_ns, pair.after.samples_ns);
  const bool fast_too = beyond(fast, options.min_effect) == beyond(interval.ratio, options.min_effect);
  const bool notable = beyond(interval.ratio, options.min_effect) != 0;
  if (significant && large && fast_too) {
    out.verdict = interval.ratio > 1 ? Verdict::slower : Verdict::faster;
    out.reason = fmt::format("ratio {:.3f} [{:.3f}, {:.3f}] {}, p {:.1e}", interval.ratio, interval.low, interval.high,
                             counted(pair), p);
  } else if (notable) {
    out.verdict = Verdict::ambiguous;
    if (!significant)
      out.reason = fmt::format("ratio {:.3f} not significant: [{:.3f}, {:.3f}] {}, p {:.2g}", interval.ratio,
                               interval.low, interval.high, counted(pair), p);
    else if (!large)
      out.reason = fmt::format("ratio {:.3f} within the noise of {}", interval.ratio, percent(effect));
    else
      out.reason = fmt::format("ratio {:.3f}, but {:.3f} of the fastest tenth: interference", interval.ratio, fast);
  } else {
    out.verdict = Verdict::same;
    out.reason = fmt::format("ratio {:.3f}", interval.ratio);
  }
}

/// The verdict on a point whose times decide nothing, or nothing.
std::optional<PointComparison> judge_without_times(const Point& base, const Point& current) {
  PointComparison out;
  if (!timed(current)) {
    out.verdict =
        current.status == Status::skipped || current.status == Status::ok ? Verdict::missing : Verdict::wrong_now;
    out.reason = current.status == Status::ok
                     ? "not timed"
                     : fmt::format("{}: {}", record::to_string(current.status), current.reason);
    return out;
  }
  if (const auto reason = less_accurate(base, current)) {
    out.verdict = Verdict::wrong_now;
    out.reason = *reason;
    return out;
  }
  for (const Point* point : {&base, &current}) {
    if (!undisturbed(*point).samples_ns.empty()) continue;
    out.verdict = Verdict::ambiguous;
    out.reason = fmt::format("other work took {} of the CPUs beside {}", percent(median(point->time->process_others)),
                             point == &base ? "the base" : "the new one");
    return out;
  }
  return std::nullopt;
}

void judge_times(const std::vector<Pair>& pairs, const std::array<DeviceNoise, 2>& by_device,
                 const CompareOptions& options, std::vector<PointComparison>& out) {
  std::vector<double> p;
  for (const Pair& pair : pairs) p.push_back(pair.p);
  p = holm_adjusted(p);
  for (std::size_t i = 0; i < pairs.size(); ++i)
    judge_time(pairs[i], p[i], by_device[pairs[i].device], options, out[pairs[i].place]);
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

  std::vector<PointComparison> out;
  std::vector<Pair> pairs;
  for (const Point& point : base.points) {
    if (!timed(point)) continue;
    const auto match = new_points.find(record::key(point));
    if (match == new_points.end())
      out.push_back({.verdict = Verdict::missing, .reason = "not in the new record"});
    else if (const auto settled = judge_without_times(point, *match->second))
      out.push_back(*settled);
    else
      pairs.push_back(make_pair(out.size(), on_device(point.backend), undisturbed(point), undisturbed(*match->second),
                                options.alpha)),
          out.emplace_back();
    out.back().key = record::key(point);
    out.back().label = base_words.label(point);
  }
  judge_times(pairs,
              {DeviceNoise{machine_shift(base, current, "cpu"), scatter(pairs, false)},
               DeviceNoise{machine_shift(base, current, "gpu"), scatter(pairs, true)}},
              options, out);
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
