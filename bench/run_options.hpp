// SPDX-License-Identifier: Apache-2.0
// What `attnscope run` was asked on its command line, and what that leaves of a config.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/config/config.hpp"
#include "harness/record/result.hpp"

namespace CLI {
class App;
}

namespace attnscope {

struct RunOptions {
  std::string config;
  std::string output;  // empty: results/<name of the config>.json
  std::vector<std::string> overrides;
  std::string filter;
  std::string device;  // empty, cpu or cuda:N
  std::string tier;    // empty, auto, T0 .. T3
  std::string input;
  std::string dump_directory;
  bool resume = false;
  int threads = 0;  // 0: all
  bool quiet = false;
};

void add_run_options(CLI::App& command, RunOptions& options);

/// The GPU that --device names, or nothing. Throws InputError when it is neither cpu nor cuda:N.
std::optional<int> gpu_index(const RunOptions& options);

/// The resolved points of `config` that --device and --filter leave, each once. Throws InputError when none is left.
std::vector<PointSpec> chosen_points(const RunConfig& config, const RunOptions& options);

/// The tier that --tier or the config demands; nothing for auto.
std::optional<record::Tier> demanded_tier(const RunConfig& config, const RunOptions& options);

}  // namespace attnscope
