// SPDX-License-Identifier: Apache-2.0
#include "viz/models/tables.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "reports/figure/break_even.hpp"
#include "reports/figure/text.hpp"
#include "viz/data/words.hpp"

namespace attnscope::viz {
namespace {

using nlohmann::json;

Cell numberCell(const std::optional<double>& value, std::string (*format)(double)) {
  return value ? Cell{words(format(*value)), *value} : Cell{};
}

std::string times(double factor) { return reports::number(factor) + "×"; }

// The index of the point with each key.
std::map<std::string, std::size_t> keysOf(const Dataset& dataset) {
  std::map<std::string, std::size_t> keys;
  for (std::size_t i = 0; i < dataset.record->points.size(); ++i) keys.emplace(record::key(dataset.point(i)), i);
  return keys;
}

std::optional<double> medianNs(const Dataset& dataset, std::size_t i) {
  const auto& time = dataset.point(i).time;
  return time ? std::optional(time->median_ns) : std::nullopt;
}

// The leaves of a JSON value as "a.b.c" → text.
void flatten(const json& value, const QString& path, std::vector<std::pair<QString, QString>>& out) {
  if (value.is_object() || (value.is_array() && !value.empty() && value.front().is_structured())) {
    for (const auto& [name, child] : value.items())
      flatten(child, path.isEmpty() ? words(name) : path + '.' + words(name), out);
    return;
  }
  QString text;
  if (value.is_array())
    for (const json& one : value)
      text += (text.isEmpty() ? "" : " ") + words(one.is_string() ? one.get<std::string>() : one.dump());
  else if (value.is_string())
    text = words(value.get<std::string>());
  else if (value.is_number_float())
    text = words(reports::si(value.get<double>()));
  else
    text = words(value.dump());
  out.emplace_back(path, text);
}

// What the GPU's clocks did before and after the points, and why they were held back.
void appendClocks(const Dataset& dataset, std::vector<std::pair<QString, QString>>& out) {
  std::set<double> clocks;
  std::set<QString> reasons;
  for (const record::Point& point : dataset.record->points)
    for (const json& moment : point.clocks) {
      if (!moment.is_object()) continue;
      if (moment.contains("sm_mhz") && moment["sm_mhz"].is_number()) clocks.insert(moment["sm_mhz"].get<double>());
      for (const json& reason : moment.value("throttle", json::array()))
        reasons.insert(words(reason.is_string() ? reason.get<std::string>() : reason.dump()));
    }
  if (clocks.empty()) return;
  out.emplace_back(QObject::tr("SM clock of the points (MHz)"),
                   QStringLiteral("%1 – %2").arg(*clocks.begin()).arg(*clocks.rbegin()));
  out.emplace_back(
      QObject::tr("throttle reasons of the points"),
      reasons.empty() ? QObject::tr("none") : QStringList(reasons.begin(), reasons.end()).join(QStringLiteral(", ")));
}

std::vector<std::pair<QString, QString>> contextOf(const Dataset& dataset) {
  std::vector<std::pair<QString, QString>> out;
  const json& context = dataset.record->context;
  // What decides whether times can be compared comes first.
  constexpr std::array kFirst{"date",     "host_name", "machine", "gpus",    "cuda",
                              "num_cpus", "load_avg",  "build",   "ceilings"};
  for (const char* name : kFirst)
    if (context.contains(name)) flatten(context[name], name, out);
  for (const auto& [name, value] : context.items())
    if (name != "config" && std::ranges::find(kFirst, name) == kFirst.end()) flatten(value, words(name), out);
  appendClocks(dataset, out);
  std::map<QString, int> tiers;
  for (const record::Point& point : dataset.record->points) {
    QString tier = words(record::to_string(point.tier));
    if (!point.tier_reason.empty()) tier += ": " + words(point.tier_reason);
    ++tiers[tier];
  }
  for (const auto& [tier, count] : tiers)
    out.emplace_back(QStringLiteral("tier reached"), QStringLiteral("%1 points %2").arg(count).arg(tier));
  return out;
}

}  // namespace

std::vector<RowsColumn> breakEvenColumns() {
  return {{QObject::tr("Method"), QObject::tr("The method with the parameters that vary, and its backend.")},
          {QObject::tr("Faster from (keys)"),
           QObject::tr("The context length from which on it is faster than the fastest dense backend, interpolated."),
           true},
          {QObject::tr("Longest (keys)"), QObject::tr("The longest context measured."), true},
          {QObject::tr("Speed-up there"), QObject::tr("Time of the fastest dense backend over its own."), true}};
}

std::vector<TableRow> breakEvenRows(const Dataset& dataset, const reports::Facet& family) {
  std::vector<TableRow> rows;
  for (const reports::BreakEven& one : reports::break_evens(dataset.wording, family)) {
    Cell from{QObject::tr("never, so far"), 1e300};
    if (one.always_faster) from = {QObject::tr("every length measured"), 0.0};
    if (one.context) from = {words(reports::si(*one.context)), *one.context};
    rows.push_back({{{words(one.name)},
                     from,
                     {words(reports::binary(one.longest)), one.longest},
                     {words(times(one.speedup_at_longest)), one.speedup_at_longest}},
                    one.first_faster});
  }
  return rows;
}

std::vector<RowsColumn> comparisonColumns() {
  return {
      {QObject::tr("Verdict"), QObject::tr("As attnscope compare judges it.")},
      {QObject::tr("Point"), QObject::tr("What was measured.")},
      {QObject::tr("Ratio"), QObject::tr("Median time of the new record over that of the base."), true},
      {QObject::tr("Interval"), QObject::tr("Holds the true ratio with the confidence of the test."), true},
      {QObject::tr("Base"), QObject::tr("Median time of a call in the base."), true},
      {QObject::tr("New"), QObject::tr("Median time of a call in the new record."), true},
      {QObject::tr("Base of roof (%)"),
       QObject::tr("How near the base comes to the limits measured on its machine: compares machines fairly."), true},
      {QObject::tr("New of roof (%)"), QObject::tr("The same for the new record."), true},
      {QObject::tr("Why"), QObject::tr("The number that decided.")}};
}

std::vector<TableRow> comparisonRows(const std::vector<reports::PointComparison>& points, const Dataset& base,
                                     const Dataset& current) {
  const auto oldKeys = keysOf(base);
  const auto newKeys = keysOf(current);
  std::vector<TableRow> rows;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const reports::PointComparison& point = points[i];
    const auto before = oldKeys.find(point.key);
    const auto after = newKeys.find(point.key);
    std::optional<double> oldTime;
    std::optional<double> newTime;
    std::optional<double> oldShare;
    std::optional<double> newShare;
    TableRow row;
    if (before != oldKeys.end()) {
      oldTime = medianNs(base, before->second);
      oldShare = roofShare(base, before->second);
    }
    if (after != newKeys.end()) {
      row.point = after->second;
      newTime = medianNs(current, after->second);
      newShare = roofShare(current, after->second);
    }
    QString interval;
    if (point.low && point.high)
      interval = words(reports::number(*point.low)) + " – " + words(reports::number(*point.high));
    const auto percentOf = [](double share) { return reports::number(100 * share); };
    row.cells = {{words(to_string(point.verdict)), static_cast<int>(i), point.verdict != reports::Verdict::same},
                 {words(point.label)},
                 numberCell(point.ratio, reports::number),
                 {interval},
                 numberCell(oldTime, reports::duration),
                 numberCell(newTime, reports::duration),
                 numberCell(oldShare, percentOf),
                 numberCell(newShare, percentOf),
                 {words(point.reason)}};
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<RowsColumn> environmentColumns() {
  return {{QObject::tr("What"), QObject::tr("The path of the value in the record's context.")},
          {QObject::tr("Shown record"), QObject::tr("The value in the record that is shown.")},
          {QObject::tr("Baseline"), QObject::tr("The value in the baseline; bold where it differs.")}};
}

std::vector<TableRow> environmentRows(const Dataset& dataset, const Dataset* baseline) {
  std::vector<std::pair<QString, QString>> others;
  if (baseline) others = contextOf(*baseline);
  std::vector<TableRow> rows;
  for (const auto& [name, text] : contextOf(dataset)) {
    const auto other = std::ranges::find(others, name, &std::pair<QString, QString>::first);
    const QString beside = other == others.end() ? QString() : other->second;
    rows.push_back({{{name}, {text}, {beside, {}, baseline && beside != text}}});
  }
  return rows;
}

std::optional<double> roofShare(const Dataset& dataset, std::size_t i) {
  const record::Point& point = dataset.point(i);
  const auto [flops, bytes] = record::device_ceilings(*dataset.record, point);
  if (!point.time || !dataset.derived[i].intensity || !bytes) return std::nullopt;
  double roof = *bytes * *dataset.derived[i].intensity;
  if (flops) roof = std::min(roof, *flops);
  return record::needed_flops(point) / (point.time->median_ns / 1e9) / roof;
}

}  // namespace attnscope::viz
