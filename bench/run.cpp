// SPDX-License-Identifier: Apache-2.0
// The route: config → points → problem, check, time, counters (each in a child process) → record → summary.
#include "bench/run.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>

#include "bench/interrupt.hpp"
#include "bench/point_runner.hpp"
#include "bench/progress.hpp"
#include "bench/run_files.hpp"
#include "bench/run_options.hpp"
#include "harness/base/error.hpp"
#include "harness/base/parallel.hpp"
#include "harness/measure/environment.hpp"
#include "harness/measure/measure_point.hpp"
#include "harness/record/file.hpp"
#include "harness/record/processes.hpp"
#include "reports/formats/report.hpp"
#include "reports/formats/table.hpp"

namespace attnscope {
namespace {

constexpr int kTierNotReached = 3;
constexpr int kInterrupted = 130;

PointRunner::Settings runner_settings(const RunOptions& options, const RunFiles& files,
                                      std::optional<record::Tier> tier) {
  return {.work = std::filesystem::absolute(files.work()),
          .dump_directory = options.dump_directory,
          .threads = options.threads > 0 ? options.threads : hardware_threads(),
          .gpu = gpu_index(options).value_or(0),
          .tier = tier.value_or(record::Tier::t2)};
}

void make_dump_directory(const std::string& path) {
  std::error_code error;
  if (!path.empty()) std::filesystem::create_directories(path, error);
  if (error) throw InputError(fmt::format("--dump-outputs {}: {}", path, error.message()));
}

/// The words of this process's command line.
std::vector<std::string> command_line() {
  std::ifstream file("/proc/self/cmdline");
  std::vector<std::string> words;
  for (std::string word; std::getline(file, word, '\0');) words.push_back(word);
  return words;
}

std::vector<record::Point> measure_all(const std::vector<PointSpec>& specs, const std::vector<Step>& steps,
                                       PointRunner& runner, RunFiles& files, bool quiet) {
  std::vector<std::string> keys;
  for (const PointSpec& spec : specs) keys.push_back(record::key(asked_point(spec)));
  const auto settled = [&](const Step& step) {  // measured, or its point has failed
    const auto& done = files.finished(keys[step.point]);
    return step.process < std::ssize(done) || (!done.empty() && done.back().status != record::Status::ok);
  };
  Progress progress(static_cast<std::size_t>(std::ranges::count_if(steps, std::not_fn(settled))), quiet);
  for (std::size_t i = 0; i < steps.size() && !interrupted(); ++i) {
    if (settled(steps[i])) {
      runner.skip(i);
      continue;
    }
    progress.next(keys[steps[i].point]);
    const record::Point point = runner.measure(i);
    if (!interrupted()) files.keep(point);
  }
  std::vector<record::Point> points;
  for (const std::string& key : keys)
    if (const auto& done = files.finished(key); !done.empty()) points.push_back(record::merge_processes(done));
  return points;
}

bool tier_reached(const std::vector<record::Point>& points, std::optional<record::Tier> demanded) {
  return !demanded || std::ranges::none_of(points, [&](const record::Point& point) {
    return on_device(point.backend) && point.status == record::Status::ok && point.tier < *demanded;
  });
}

int run(const RunOptions& options) {
  const RunConfig config = load_config(options.config, options.overrides, options.input);
  const std::vector<PointSpec> specs = chosen_points(config, options);
  const std::optional<record::Tier> tier = demanded_tier(config, options);
  make_dump_directory(options.dump_directory);
  RunFiles files(options.output.empty() ? "results/" + config.name + ".json" : options.output, options.resume);
  const std::vector<Step> steps = schedule(specs);
  PointRunner runner(runner_settings(options, files, tier), specs, steps);
  if (gpu_index(options) && !runner.gpu_missing().empty())
    throw MachineError(fmt::format("--device {}: {}", options.device, runner.gpu_missing()));

  catch_interrupts();
  record::Record record;
  record.context = environment(command_line());
  record.context["config"] = config.source;
  record.points = measure_all(specs, steps, runner, files, options.quiet);
  record.context.update(runner.machine_facts());
  record::write_record(files.record(), record);
  if (interrupted()) {
    fmt::print(stderr, "attnscope: interrupted after {} of {} points; --resume finishes {}\n", record.points.size(),
               specs.size(), files.record());
    return kInterrupted;
  }
  files.complete();
  reports::write_report(record, config.name, files.report());
  if (!options.quiet) fmt::print("{}\n", reports::summary_text(record));
  fmt::print("record: {}\nreport: {}\n", files.record(), files.report());
  return tier_reached(record.points, tier) ? 0 : kTierNotReached;
}

}  // namespace

void add_run(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<RunOptions>();
  CLI::App* command = app.add_subcommand("run", "Measure what a config asks for and write the record");
  add_run_options(*command, *options);
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace attnscope
