// SPDX-License-Identifier: Apache-2.0
#include "reports/figure/quantities.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>

#include "harness/base/error.hpp"

namespace attnscope::reports {
namespace {

using record::Point;
using Value = std::optional<double>;

constexpr std::array<NamedQuantity, 7> kCosts{
    {{.name = "flops",
      .title = "useful + select FLOPs per call",
      .words = "FLOPs on the attended pairs plus those spent on choosing them",
      .value = [](const Point& point) -> Value { return record::needed_flops(point); }},
     {.name = "useful_flops",
      .title = "useful FLOPs per call",
      .words = "FLOPs on the attended pairs",
      .value = [](const Point& point) -> Value { return point.flops.useful; }},
     {.name = "executed_flops",
      .title = "executed FLOPs per call",
      .words = "FLOPs that the hardware counted",
      .value = [](const Point& point) { return point.flops.executed; },
      .of_kernel = true},
     {.name = "bytes",
      .title = "modelled bytes per call",
      .words = "bytes when every input is read once and every output written once",
      .value = [](const Point& point) -> Value { return point.bytes.model; },
      .of_kernel = true},
     {.name = "dram_bytes",
      .title = "counted DRAM bytes per call",
      .words = "DRAM reads plus writes of one call, counted",
      .value = record::dram_bytes,
      .of_kernel = true},
     {.name = "time",
      .title = "time (ms)",
      .words = "median time of a whole call, choosing included",
      .value = [](const Point& point) -> Value {
        return point.time ? Value(point.time->median_ns / 1e6) : std::nullopt;
      },
      .of_kernel = true},
     {.name = "density",
      .title = "density (attended share of the pairs)",
      .words = "attended pairs over the pairs that exact attention visits",
      .value = [](const Point& point) { return point.density; }}}};

constexpr std::array<NamedQuantity, 4> kAccuracies{
    {{.name = "error",
      .title = "relative L2 error",
      .words = "Relative L2 error of the output against exact attention in double",
      .value = [](const Point& point) { return point.accuracy.rel_l2; }},
     {.name = "cosine",
      .title = "1 − cosine",
      .words = "One minus the cosine between the output and exact attention, mean over rows",
      .value = [](const Point& point) -> Value {
        return point.accuracy.cosine ? Value(1 - *point.accuracy.cosine) : std::nullopt;
      }},
     {.name = "mass",
      .title = "mass recall",
      .words = "True softmax mass on the attended keys, mean over rows and heads",
      .scale = Scale::linear,
      .value = [](const Point& point) { return point.accuracy.mass_recall; },
      .higher_is_better = true},
     {.name = "task",
      .title = "task score (retrieved fraction)",
      .words = "Fraction of the planted pairs that the output retrieves",
      .scale = Scale::linear,
      .value = [](const Point& point) { return point.accuracy.task_score; },
      .higher_is_better = true}}};

const NamedQuantity& find(std::span<const NamedQuantity> all, std::string_view what, std::string_view name) {
  const auto found = std::ranges::find(all, name, &NamedQuantity::name);
  if (found != all.end()) return *found;
  std::string known;
  for (const NamedQuantity& one : all) known += fmt::format("{}{}", known.empty() ? "" : ", ", one.name);
  throw InputError(fmt::format("{}: expected one of {}, found '{}'", what, known, name));
}

}  // namespace

std::span<const NamedQuantity> costs() { return kCosts; }
std::span<const NamedQuantity> accuracies() { return kAccuracies; }
Quantity derived(const record::Record& record, std::optional<double> record::Derived::*quotient) {
  const auto all = std::make_shared<const std::vector<record::Derived>>(record::derive_all(record));
  return [all, quotient, first = record.points.data()](const Point& point) {
    return (*all)[static_cast<std::size_t>(&point - first)].*quotient;
  };
}

const NamedQuantity& cost(std::string_view name) { return find(kCosts, "cost", name); }
const NamedQuantity& accuracy(std::string_view name) { return find(kAccuracies, "accuracy", name); }

}  // namespace attnscope::reports
