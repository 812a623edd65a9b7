// SPDX-License-Identifier: Apache-2.0
#include "bench/point_runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>

#include "bench/interrupt.hpp"
#include "harness/base/error.hpp"
#include "harness/base/text_file.hpp"
#include "harness/measure/ceilings/ceilings.hpp"
#include "harness/measure/child_process.hpp"
#include "harness/measure/measure_point.hpp"
#include "harness/measure/other_work.hpp"
#include "harness/method/registry.hpp"
#include "harness/record/json.hpp"

namespace attnscope {

namespace {

constexpr double kFactsTimeoutSeconds = 300;
constexpr int kBadInput = 2;

/// "SIGSEGV (Segmentation fault)"
std::string signal_text(int signal) {
  const char* name = sigabbrev_np(signal);
  return fmt::format("SIG{} ({})", name ? name : std::to_string(signal), strsignal(signal));
}

std::string without_prefix(std::string_view line) {
  constexpr std::string_view kPrefix = "attnscope: ";
  return std::string(line.starts_with(kPrefix) ? line.substr(kPrefix.size()) : line);
}

std::string described(const PointSpec& spec) { return record::key(asked_point(spec)); }

}  // namespace

PointRunner::PointRunner(Settings settings, const std::vector<PointSpec>& points, const std::vector<Step>& steps)
    : settings_(std::move(settings)), points_(points), steps_(steps) {
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const std::string key = problem_key(points[steps[i].point]);
    problem_number_.try_emplace(key, problem_number_.size());
    last_use_[key] = i;
  }
}

record::Point PointRunner::measure(std::size_t index) {
  const Step& step = steps_[index];
  const PointSpec& spec = points_[step.point];
  record::Point point = asked_point(spec);
  const auto fail = [&](record::Status status, const std::string& reason) {
    point.status = status;
    point.reason = reason;
  };
  if (const auto reason = unavailable(spec)) {
    fail(record::Status::skipped, *reason);
  } else if (const auto failure = prepare(spec)) {
    fail(failure->status, "inputs: " + failure->reason);
  } else {
    observe_machine(step.process);
    const std::string dump = dump_path(step);
    const OtherWork others;
    const Outcome outcome =
        work("measure",
             {{"spec", to_json(spec)}, {"prepared", problem_directory(spec)}, {"gpu", settings_.gpu}, {"dump", dump}},
             spec.sampling.timeout_seconds);
    if (outcome.status == record::Status::ok)
      point = record::point_from_json(outcome.result);
    else
      fail(outcome.status, outcome.reason);
    if (const auto share = others.share(); share && point.time) point.time->process_others = {*share};
    if (std::filesystem::exists(dump)) point.dump = std::filesystem::path(dump).filename();
    const bool profiled = step.process == 0 && on_device(spec.backend) && settings_.tier > record::Tier::t0;
    if (point.status == record::Status::ok && profiled) profile(spec, point);
  }
  release_problem(index);
  return point;
}

/// What can be told without running anything.
std::optional<std::string> PointRunner::unavailable(const PointSpec& spec) {
  const Method& method = find_method(spec.method);
  const MethodInfo& info = method.info();
  if (std::ranges::find(info.phases, spec.phase) == info.phases.end())
    return fmt::format("{} has no {}", spec.method, to_string(spec.phase));
  if (spec.backend != Backend::reference && std::ranges::find(info.backends, spec.backend) == info.backends.end())
    return fmt::format("{} has no backend {} in this build", spec.method, to_string(spec.backend));
  if (on_device(spec.backend)) return gpu_missing().empty() ? std::nullopt : std::optional(gpu_missing());
  return method.unsupported(spec.shape, spec.phase, spec.backend,
                            Params::resolve(info.parameters, spec.params, spec.where));
}

/// Runs `attnscope worker KIND JOB.json` and reads what it leaves.
PointRunner::Outcome PointRunner::work(const std::string& kind, const nlohmann::json& job, double timeout_seconds) {
  const std::string job_path = settings_.work + "/job.json";
  const std::string result_path = settings_.work + "/result.json";
  std::filesystem::remove(result_path);
  write_text(job_path, job.dump());
  const ChildResult child =
      run_child({"worker", kind, job_path, result_path}, timeout_seconds, [] { return interrupted(); });

  const std::string said = child.last_error.empty() ? "" : ": " + without_prefix(child.last_error);
  if (child.timed_out)
    return {record::Status::timeout, fmt::format("took longer than {} s{}", timeout_seconds, said), {}, false};
  if (child.signal == SIGKILL)
    return {record::Status::oom, "killed by SIGKILL, as the kernel does when memory runs out" + said, {}, false};
  if (child.signal != 0) return {record::Status::crashed, "killed by " + signal_text(child.signal) + said, {}, false};
  if (child.exit_code != 0)
    return {record::Status::crashed,
            child.last_error.empty() ? fmt::format("exit code {}", child.exit_code) : without_prefix(child.last_error),
            {},
            child.exit_code == kBadInput};
  return {record::Status::ok, "", nlohmann::json::parse(read_text(result_path)), false};
}

/// Nothing when the problem of `spec` is there; else why it cannot be had.
std::optional<PointRunner::Outcome> PointRunner::prepare(const PointSpec& spec) {
  const std::string key = problem_key(spec);
  if (const auto known = prepared_.find(key); known != prepared_.end()) return known->second;
  std::filesystem::create_directory(problem_directory(spec));
  Outcome outcome =
      work("prepare", {{"spec", to_json(spec)}, {"prepared", problem_directory(spec)}, {"threads", settings_.threads}},
           spec.sampling.timeout_seconds);
  if (outcome.bad_input) throw InputError(outcome.reason);
  if (outcome.status == record::Status::ok && outcome.result.at("status") == "ok") return prepared_[key] = std::nullopt;
  if (outcome.status == record::Status::ok) {
    outcome.status = record::parse_status(outcome.result.at("status").get<std::string>());
    outcome.reason = outcome.result.at("reason");
  }
  return prepared_[key] = outcome;
}

void PointRunner::profile(const PointSpec& spec, record::Point& point) {
  const Outcome outcome = work("profile",
                               {{"spec", to_json(spec)},
                                {"prepared", problem_directory(spec)},
                                {"gpu", settings_.gpu},
                                {"tier", record::to_string(settings_.tier)},
                                {"point", record::to_json(point)}},
                               spec.sampling.timeout_seconds);
  if (outcome.status == record::Status::ok)
    point = record::point_from_json(outcome.result);
  else
    point.tier_reason = fmt::format("profiling {}: {}", described(spec), outcome.reason);
}

void PointRunner::observe_machine(int round) {
  if (round == observed_round_) return;
  observed_round_ = round;
  const auto any = [&](bool device) {
    return std::ranges::any_of(points_, [&](const PointSpec& spec) { return on_device(spec.backend) == device; });
  };
  const bool gpu = any(true) && gpu_missing().empty();
  const Outcome outcome = work("machine",
                               {{"cpu", any(false)},
                                {"gpu", gpu ? nlohmann::json(settings_.gpu) : nlohmann::json()},
                                {"calibrate", facts_.is_null() && gpu && settings_.tier >= record::Tier::t2}},
                               kFactsTimeoutSeconds);
  nlohmann::json found = outcome.result;
  if (outcome.status != record::Status::ok)
    found = {{"ceilings", nlohmann::json::object()}, {"ceilings_reason", outcome.reason}};
  if (facts_.is_null()) facts_ = found;
  if (outcome.status == record::Status::ok) ceilings_.push_back(found.at("ceilings"));
}

nlohmann::json PointRunner::machine_facts() {
  if (facts_.is_null()) observe_machine(0);
  if (!ceilings_.empty()) facts_["ceilings"] = middle_ceilings(ceilings_);
  return facts_;
}

const std::string& PointRunner::gpu_missing() {
  if (!gpu_missing_) {
    const Outcome outcome = work("gpus", nlohmann::json::object(), kFactsTimeoutSeconds);
    if (outcome.status != record::Status::ok)
      gpu_missing_ = outcome.reason;
    else if (const int count = outcome.result.at("count"); settings_.gpu < count)
      gpu_missing_ = "";
    else if (count == 0)
      gpu_missing_ = "no GPU: " + outcome.result.at("reason").get<std::string>();
    else
      gpu_missing_ = fmt::format("no GPU {}: there are {}", settings_.gpu, count);
  }
  return *gpu_missing_;
}

std::string PointRunner::problem_directory(const PointSpec& spec) const {
  return fmt::format("{}/problem-{}", settings_.work, problem_number_.at(problem_key(spec)));
}

/// Empty when nothing is to be dumped.
std::string PointRunner::dump_path(const Step& step) const {
  if (settings_.dump_directory.empty() || step.process > 0) return "";
  const PointSpec& spec = points_[step.point];
  return fmt::format("{}/{}-{}-{}.safetensors", settings_.dump_directory, step.point, spec.method,
                     to_string(spec.backend));
}

void PointRunner::release_problem(std::size_t index) {
  const PointSpec& spec = points_[steps_[index].point];
  if (last_use_.at(problem_key(spec)) == index) std::filesystem::remove_all(problem_directory(spec));
}

}  // namespace attnscope
