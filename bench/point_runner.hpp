// SPDX-License-Identifier: Apache-2.0
// Measures points in child processes; whatever a child does becomes a status of its point. This process never touches
// CUDA or CUPTI.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "harness/config/config.hpp"
#include "harness/measure/plan.hpp"
#include "harness/record/result.hpp"

namespace attnscope {

class PointRunner {
 public:
  struct Settings {
    std::string work;            // directory for problems and jobs
    std::string dump_directory;  // empty: no dumps
    int threads = 1;             // for preparing
    int gpu = 0;
    record::Tier tier = record::Tier::t2;  // the highest to try
  };

  /// All of `steps` will be asked for, in order: a problem is dropped after the last step that uses it.
  PointRunner(Settings settings, const std::vector<PointSpec>& points, const std::vector<Step>& steps);

  /// Takes steps[index]: one process of a point, the first with dump and profile. Throws InputError when the inputs are
  /// bad. After an interrupt the result means nothing.
  record::Point measure(std::size_t index);
  /// Says that steps[index] need not be taken.
  void skip(std::size_t index) { release_problem(index); }

  /// Measured limits of this machine and calibration of its counters, for the context of the record. The limits are
  /// measured at the start of every round of steps; told is the round in the middle.
  nlohmann::json machine_facts();

  /// Why GPU points cannot run here; empty when they can.
  const std::string& gpu_missing();

 private:
  /// How a child ended. `status` is ok when it left a result.
  struct Outcome {
    record::Status status = record::Status::ok;
    std::string reason;
    nlohmann::json result;
    bool bad_input = false;
  };

  std::optional<std::string> unavailable(const PointSpec& spec);
  Outcome work(const std::string& kind, const nlohmann::json& job, double timeout_seconds);
  std::optional<Outcome> prepare(const PointSpec& spec);
  void profile(const PointSpec& spec, record::Point& point);
  void observe_machine(int round);
  std::string problem_directory(const PointSpec& spec) const;
  std::string dump_path(const Step& step) const;
  void release_problem(std::size_t index);

  Settings settings_;
  const std::vector<PointSpec>& points_;
  const std::vector<Step>& steps_;
  std::map<std::string, std::size_t> problem_number_;  // by problem_key
  std::map<std::string, std::size_t> last_use_;        // index of the last step, by problem_key
  std::map<std::string, std::optional<Outcome>> prepared_;
  std::optional<std::string> gpu_missing_;
  nlohmann::json facts_;                  // of the first round
  std::vector<nlohmann::json> ceilings_;  // of each round
  int observed_round_ = -1;
};

}  // namespace attnscope
