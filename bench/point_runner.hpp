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

  /// `points` are all that will be asked for, in order: a problem is dropped after the last point that uses it.
  PointRunner(Settings settings, const std::vector<PointSpec>& points);

  /// Measures points[index]. Throws InputError when its inputs are bad. After an interrupt the result means nothing.
  record::Point measure(std::size_t index);
  /// Says that points[index] need not be measured.
  void skip(std::size_t index) { release_problem(index); }

  /// Measured limits of this machine and calibration of its counters, for the context of the record.
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
  std::string problem_directory(const PointSpec& spec) const;
  std::string dump_path(std::size_t index, const record::Point& point) const;
  void release_problem(std::size_t index);

  Settings settings_;
  const std::vector<PointSpec>& points_;
  std::map<std::string, std::size_t> problem_number_;  // by problem_key
  std::map<std::string, std::size_t> last_use_;        // index of the last point, by problem_key
  std::map<std::string, std::optional<Outcome>> prepared_;
  std::optional<std::string> gpu_missing_;
};

}  // namespace attnscope
