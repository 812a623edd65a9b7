// SPDX-License-Identifier: Apache-2.0
// A run config: JSON sweeps expanded into the list of points to measure. Format: configs/run.schema.json.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/base/shape.hpp"

namespace attnscope {

enum class Contract { cold, warm, graph };
std::string_view to_string(Contract contract);
Contract parse_contract(std::string_view text);

/// How often to measure one point, when to stop, and when to give it up. Everything but `processes` is of one process.
struct Sampling {
  int processes = 1;       // that sample the point, spread over the run
  double ci_width = 0.02;  // stop when the 95 % interval of the median is narrower than this share of it
  int min_samples = 10;
  int max_samples = 1000;
  double max_seconds = 5;        // of sampling
  double timeout_seconds = 600;  // from the start of the process to its end
};

/// One point to measure. With the workload `file` everything that the tensors say is left at its default here: of
/// `shape` only `causal` and `cache_page` count, and phase, dtype and seed do not.
struct PointSpec {
  std::string where;  // file and JSON pointer of the method's entry, for messages about the method and its parameters
  std::string method;
  nlohmann::json params = nlohmann::json::object();  // as given, one value per axis; the method resolves them
  Backend backend = Backend::cpu;
  Phase phase = Phase::prefill;
  std::string workload;
  nlohmann::json workload_params = nlohmann::json::object();
  std::uint64_t seed = 1;
  Shape shape;
  Contract contract = Contract::warm;
  Sampling sampling;
  std::int64_t accuracy_rows = 128;  // query rows on which accuracy is evaluated
};

struct RunConfig {
  std::string name;
  std::string description;
  std::string tier = "auto";      // auto, T0 .. T3: what --tier says when it is not given
  std::vector<PointSpec> points;  // in the order of the file, later axes fastest
  nlohmann::json source;          // the config as used, --set and --input applied
};

/// Reads and expands `path`. Every axis is a value, a list, {"range": [a, b, step]} or {"pow2": [a, b]}; axes multiply,
/// {"zip": {...}} pairs them; // comments are allowed. `overrides` are --set KEY=VALUE pairs: KEY a dotted path into
/// the file, VALUE JSON, else a string. A non-empty `input` makes the workload of every sweep `file` with that path.
/// Points of the workload `file` that come out equal are kept once.
/// Throws InputError naming file, key (JSON pointer), what was expected and found; unknown keys name the nearest known.
/// Methods and their parameters are not looked up here.
RunConfig load_config(const std::string& path, const std::vector<std::string>& overrides = {},
                      const std::string& input = {});

/// The same from text; `name` stands for the file in messages.
RunConfig parse_config(const std::string& text, const std::string& name, const std::vector<std::string>& overrides = {},
                       const std::string& input = {});

}  // namespace attnscope
