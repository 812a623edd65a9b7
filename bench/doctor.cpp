// SPDX-License-Identifier: Apache-2.0
#include "bench/doctor.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <memory>
#include <string>

#include "harness/measure/ceilings/ceilings.hpp"
#include "harness/measure/cupti/calibration.hpp"
#include "harness/measure/cupti/probe.hpp"
#include "harness/measure/environment.hpp"

namespace attnscope {
namespace {

struct Options {
  bool json = false;
  bool quick = false;
  std::string tier;
};

struct Findings {
  nlohmann::json environment;
  Ceilings cpu;
  Ceilings gpu;
  Profile probe;
  Calibration calibration;
};

/// Ceilings first: from the probe on CUPTI is loaded and slows every launch.
Findings examine(Effort effort) {
  const std::array<std::string, 2> argv{"attnscope", "doctor"};
  Findings findings{.environment = environment(argv), .cpu = {}, .gpu = {}, .probe = {}, .calibration = {}};
  findings.cpu = measure_cpu_ceilings(effort);
  findings.gpu = measure_gpu_ceilings(effort);
  findings.probe = probe_tiers();
  if (findings.probe.reached >= record::Tier::t2) findings.calibration = calibrate_counters();
  return findings;
}

nlohmann::json to_json(const Findings& findings) {
  return {{"environment", findings.environment},
          {"tier", {{"reached", record::to_string(findings.probe.reached)}, {"reason", findings.probe.reason}}},
          {"ceilings", {{"cpu", to_json(findings.cpu)}, {"gpu", to_json(findings.gpu)}}},
          {"calibration", to_json(findings.calibration)}};
}

/// 4.64e12 "bytes_per_s" → "4.64 TB/s"; the unit is the end of the ceiling's name.
std::string with_unit(const std::string& name, double value) {
  if (name.ends_with("_ns")) return fmt::format("{:.0f} ns", value);
  const char* unit = name.ends_with("bytes_per_s") ? "B/s" : "FLOP/s";
  constexpr std::array kPrefixes{"", "k", "M", "G", "T", "P"};
  std::size_t prefix = 0;
  for (; value >= 1000 && prefix + 1 < kPrefixes.size(); ++prefix) value /= 1000;
  return fmt::format("{:.2f} {}{}", value, kPrefixes[prefix], unit);
}

void print(const char* title, const Ceilings& ceilings) {
  if (ceilings.empty()) return;
  fmt::print("\n{} (median, 10th to 90th percentile)\n", title);
  for (const auto& [name, ceiling] : ceilings)
    fmt::print("  {:<24} {:>14}  {} to {}, n = {}: {}\n", name, with_unit(name, ceiling.median),
               with_unit(name, ceiling.low), with_unit(name, ceiling.high), ceiling.samples, ceiling.how);
}

void print_machine(const nlohmann::json& context) {
  const nlohmann::json& machine = context["machine"];
  const nlohmann::json& build = context["build"];
  constexpr double kGiB = 1 << 30;
  fmt::print("machine  {}, {} cores, {:.0f} GiB, {}\n", machine.value("cpu_model", "unknown CPU"),
             context["num_cpus"].get<int>(), machine["memory_bytes"].get<double>() / kGiB, machine.value("kernel", ""));
  const std::string sha = build["git_sha"];
  fmt::print("build    attnscope {} {}{}, {}, {}\n", build["version"].get<std::string>(),
             sha.empty() ? "(no git commit)" : sha.substr(0, 12), build["git_dirty"].get<bool>() ? " with changes" : "",
             build["compiler"].get<std::string>(), build["type"].get<std::string>());
  for (const nlohmann::json& gpu : context["gpus"]) {
    fmt::print("cuda:{}   {}, sm_{}, {} SMs, {:.0f} MiB L2, {:.0f} GiB\n", gpu["index"].get<int>(),
               gpu["name"].get<std::string>(), gpu["compute_capability"].get<int>(), gpu["sm_count"].get<int>(),
               gpu["l2_bytes"].get<double>() / (1 << 20), gpu["memory_bytes"].get<double>() / kGiB);
    if (gpu.contains("state")) fmt::print("         now {}\n", gpu["state"].dump());
  }
  const nlohmann::json& cuda = context["cuda"];
  if (!context["gpus"].empty())
    fmt::print("driver   {} (CUDA {}), runtime {}\n", cuda["driver"].get<std::string>(),
               cuda["driver_cuda"].get<std::string>(), cuda["runtime"].get<std::string>());
}

void print_tiers(const Profile& probe) {
  constexpr std::array kMeanings{"time by CUDA events or the CPU clock", "every kernel (CUPTI activity)",
                                 "hardware counters in one pass (CUPTI range profiler)"};
  fmt::print("\ntiers\n");
  for (std::size_t i = 0; i < kMeanings.size(); ++i)
    fmt::print("  T{} {:<4} {}\n", i, static_cast<std::size_t>(probe.reached) >= i ? "yes" : "no", kMeanings[i]);
  if (!probe.reason.empty()) fmt::print("  why not more: {}\n", probe.reason);
}

void print_calibration(const Calibration& calibration) {
  const nlohmann::json json = to_json(calibration);
  if (json.empty()) return;
  fmt::print("\ncalibration of the counters\n");
  for (const auto& [key, value] : json.items())
    fmt::print("  {:<24} {}\n", key,
               value.is_number() ? fmt::format("{:.4f}", value.get<double>()) : value.get<std::string>());
}

void print(const Findings& findings) {
  print_machine(findings.environment);
  print_tiers(findings.probe);
  print("CPU ceilings", findings.cpu);
  print("GPU ceilings", findings.gpu);
  print_calibration(findings.calibration);
}

}  // namespace

void add_doctor(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("doctor", "What this machine can measure, why not more, and its ceilings");
  command->add_flag("--json", options->json, "Print JSON");
  command->add_flag("--quick", options->quick, "Fewer repetitions");
  command->add_option("--tier", options->tier, "Exit with 3 unless this tier works")
      ->check(CLI::IsMember({"T0", "T1", "T2", "T3"}));
  command->callback([options, &exit_code] {
    const Findings findings = examine(options->quick ? Effort::quick : Effort::full);
    if (options->json)
      fmt::print("{}\n", to_json(findings).dump(2));
    else
      print(findings);
    const record::Tier demanded = options->tier.empty() ? record::Tier::t0 : record::parse_tier(options->tier);
    exit_code = findings.probe.reached < demanded ? 3 : 0;
  });
}

}  // namespace attnscope
