// SPDX-License-Identifier: Apache-2.0
#include "bench/compare.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "harness/record/file.hpp"
#include "reports/compare/compare.hpp"

namespace attnscope {
namespace {

constexpr int kNotComparable = 6;

struct Options {
  std::string base;
  std::string current;
  reports::CompareOptions judge;
  bool strict = false;
  bool force = false;
  bool json = false;
};

int compare_files(const Options& options) {
  const record::Record base = record::read_record(options.base);
  const record::Record current = record::read_record(options.current);

  for (const std::string& reason : reports::incomparable(base, current)) {
    fmt::print(stderr, "{} and {} are not comparable: {}\n", options.base, options.current, reason);
    if (!options.force) return kNotComparable;
  }
  for (const auto& [path, record] : {std::pair(&options.base, &base), {&options.current, &current}})
    if (const auto reason = reports::busy(*record)) fmt::print(stderr, "warning: {}: {}\n", *path, *reason);
  const auto points = reports::compare(base, current, options.judge);
  if (options.json)
    fmt::print("{}\n", reports::comparison_json(points).dump(1));
  else
    fmt::print("{}", reports::comparison_text(points));
  return reports::exit_code(points, options.strict);
}

}  // namespace

void add_compare(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("compare", "Verdict per point of two records: SAME, FASTER, SLOWER, AMBIGUOUS, WRONG-NOW");
  command->add_option("base", options->base, "Record to compare with")->required();
  command->add_option("new", options->current, "Record to judge")->required();
  command->add_option("--alpha", options->judge.alpha, "Significance level of test and interval")
      ->check(CLI::Range(1e-9, 0.5))
      ->capture_default_str();
  command
      ->add_option("--min-effect", options->judge.min_effect, "Smallest change of the median that counts, as a share")
      ->check(CLI::Range(0.0, 10.0))
      ->capture_default_str();
  command->add_flag("--strict", options->strict, "Exit 5 when a point is ambiguous or missing");
  command->add_flag("--force", options->force, "Compare records of different machines or inputs all the same");
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options, &exit_code] { exit_code = compare_files(*options); });
}

}  // namespace attnscope
