// SPDX-License-Identifier: Apache-2.0
#include "bench/run_options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <regex>
#include <set>

#include "harness/base/error.hpp"
#include "harness/measure/measure_point.hpp"
#include "harness/measure/plan.hpp"

namespace attnscope {
namespace {

std::regex filter_of(const RunOptions& options) {
  try {
    return std::regex(options.filter);
  } catch (const std::regex_error& error) {
    throw InputError(fmt::format("--filter: expected a regular expression, found '{}'", options.filter));
  }
}

bool device_allows(const RunOptions& options, Backend backend) {
  return options.device.empty() || on_device(backend) == gpu_index(options).has_value();
}

}  // namespace

void add_run_options(CLI::App& command, RunOptions& options) {
  command.add_option("config", options.config, "What to run (configs/README.md)")->required();
  command.add_option("-o,--output", options.output, "The record to write [results/NAME.json]");
  command.add_option("--set", options.overrides, "KEY=VALUE: change the config, KEY a dotted path into it")
      ->take_all()
      ->allow_extra_args(false);
  command.add_option("--filter", options.filter, "Only points whose key matches this regular expression");
  command.add_option("--device", options.device, "Only backends of this device: cpu or cuda:N");
  command.add_option("--tier", options.tier, "Demand a measuring tier: auto, T0, T1, T2 or T3");
  command.add_option("--input", options.input, "Give every method the tensors of this safetensors file");
  command.add_option("--dump-outputs", options.dump_directory, "Write inputs, outputs and masks of each point here");
  command.add_flag("--resume", options.resume, "Finish an interrupted run: keep the points of its journal");
  command
      .add_option("--jobs", options.threads, "Threads that prepare inputs and references [all]; points never overlap")
      ->check(CLI::Range(1, 4096));
  command.add_flag("--quiet", options.quiet, "No progress and no summary");
}

std::optional<int> gpu_index(const RunOptions& options) {
  constexpr std::string_view kPrefix = "cuda:";
  if (options.device.empty() || options.device == "cpu") return std::nullopt;
  const std::string_view text = options.device;
  int index = -1;
  if (text.starts_with(kPrefix)) {
    const auto [end, error] = std::from_chars(text.data() + kPrefix.size(), text.data() + text.size(), index);
    if (error == std::errc{} && end == text.data() + text.size() && index >= 0) return index;
  }
  throw InputError(fmt::format("--device: expected cpu or cuda:N, found '{}'", options.device));
}

std::vector<PointSpec> chosen_points(const RunConfig& config, const RunOptions& options) {
  const std::regex filter = filter_of(options);
  std::vector<PointSpec> chosen;
  std::set<std::string> keys;
  for (const PointSpec& spec : resolve_points(config)) {
    const std::string key = record::key(asked_point(spec));
    if (device_allows(options, spec.backend) && std::regex_search(key, filter) && keys.insert(key).second)
      chosen.push_back(spec);
  }
  if (chosen.empty())
    throw InputError(fmt::format("{}: no point is left of {} (--device {}, --filter '{}')", options.config,
                                 config.points.size(), options.device.empty() ? "any" : options.device,
                                 options.filter));
  return chosen;
}

std::optional<record::Tier> demanded_tier(const RunConfig& config, const RunOptions& options) {
  const std::string& text = options.tier.empty() ? config.tier : options.tier;
  if (text == "auto") return std::nullopt;
  return record::parse_tier(text);
}

}  // namespace attnscope
