// SPDX-License-Identifier: Apache-2.0
#include "bench/metrics.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "harness/base/error.hpp"
#include "harness/base/nearest.hpp"
#include "harness/measure/cupti/plan_check.hpp"

namespace attnscope {
namespace {

/// A plan of one chip for one input type, checked.
struct Row {
  Dtype dtype;
  Plan plan;
  PlanCheck check;
};

std::vector<Row> rows_of(const std::string& chip) {
  std::vector<Row> rows;
  for (const Dtype dtype : {Dtype::bf16, Dtype::f16, Dtype::f32})
    for (Plan& plan : counter_plans(chip, dtype)) {
      PlanCheck check = check_plan(chip, plan);
      rows.push_back({dtype, std::move(plan), std::move(check)});
    }
  return rows;
}

nlohmann::json to_json(const Row& row) {
  nlohmann::json counters = nlohmann::json::object();
  for (const Counter& counter : row.plan.counters)
    for (const Counter::Term& term : counter.terms)
      counters[counter.name].push_back({{"metric", term.metric}, {"weight", term.weight}});
  return {{"plan", row.plan.name},      {"dtype", to_string(row.dtype)}, {"passes", row.check.passes},
          {"holds", row.check.holds()}, {"unknown", row.check.unknown},  {"counters", counters}};
}

void print(const Row& row) {
  const std::string verdict = row.check.unknown.empty()
                                  ? fmt::format("{} pass{}", row.check.passes, row.check.passes == 1 ? "" : "es")
                                  : fmt::format("unknown on this chip: {}", fmt::join(row.check.unknown, ", "));
  fmt::print("\nplan {} for {} inputs: {}\n", row.plan.name, to_string(row.dtype), verdict);
  for (const Counter& counter : row.plan.counters) {
    std::string sum;
    for (const Counter::Term& term : counter.terms)
      sum += (sum.empty() ? "" : " + ") + (term.weight == 1 ? "" : fmt::format("{} * ", term.weight)) + term.metric;
    fmt::print("  {:<18} {}\n", counter.name, sum);
  }
}

bool holds(const std::vector<Row>& rows) {
  return std::ranges::all_of(rows, [](const Row& row) { return row.check.holds(); });
}

/// Plans of one chip; false when one of them does not hold.
bool show_chip(const std::string& chip, bool json) {
  const std::vector<std::string> chips = supported_chips();
  if (std::ranges::find(chips, chip) == chips.end())
    throw InputError(fmt::format("--chip: expected a chip that CUPTI knows, found '{}'; nearest: {}", chip,
                                 nearest_name(chip, chips)));
  const std::vector<Row> rows = rows_of(chip);
  if (json) {
    nlohmann::json plans = nlohmann::json::array();
    for (const Row& row : rows) plans.push_back(to_json(row));
    fmt::print("{}\n", nlohmann::json{{"chip", chip}, {"plans", plans}}.dump(2));
  } else {
    fmt::print("chip {}\n", chip);
    for (const Row& row : rows) print(row);
  }
  return holds(rows);
}

/// One line per chip; false when a plan of any chip does not hold.
bool show_chips(bool json) {
  bool all_hold = true;
  nlohmann::json list = nlohmann::json::array();
  for (const std::string& chip : supported_chips()) {
    std::string verdict;
    try {
      const bool chip_holds = holds(rows_of(chip));
      all_hold = all_hold && chip_holds;
      verdict = chip_holds ? "every plan is one pass" : "a plan does not hold: see --chip " + chip;
    } catch (const MachineError& error) {
      verdict = error.what();
    }
    if (json)
      list.push_back({{"chip", chip}, {"verdict", verdict}});
    else
      fmt::print("{:<6} {}\n", chip, verdict);
  }
  if (json) fmt::print("{}\n", list.dump(2));
  return all_hold;
}

struct Options {
  std::string chip;
  bool json = false;
};

}  // namespace

void add_metrics(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("metrics", "Hardware counters of each plan on any chip; needs CUPTI, no GPU");
  command->add_option("--chip", options->chip, "Chip to plan for, e.g. GH100; without it, check every chip");
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options, &exit_code] {
    const bool good = options->chip.empty() ? show_chips(options->json) : show_chip(options->chip, options->json);
    exit_code = good ? 0 : 4;
  });
}

}  // namespace attnscope
