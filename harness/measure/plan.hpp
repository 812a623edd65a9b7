// SPDX-License-Identifier: Apache-2.0
// From a config to points that can be measured: names looked up, parameters complete, shapes of files read.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/config/config.hpp"

namespace attnscope {

/// Completes every point: methods and workloads exist, `params` and `workload_params` hold every declared parameter,
/// and points of the workload `file` have shape and phase of their tensors. Throws InputError at the first fault, so
/// that bad input is told before anything is measured.
std::vector<PointSpec> resolve_points(const RunConfig& config);

/// What decides the inputs of a point: equal keys, equal bytes and equal sampled rows.
std::string problem_key(const PointSpec& spec);

/// One process of one point.
struct Step {
  std::size_t point = 0;  // index
  int process = 0;
};

/// The processes of all points round by round: the first of every point, then the second of those that have one, and so
/// on. A slow minute of the machine then hits one process of many points, not every process of one.
std::vector<Step> schedule(const std::vector<PointSpec>& points);

/// A resolved point as the job of a child process, and back.
nlohmann::json to_json(const PointSpec& spec);
PointSpec spec_from_json(const nlohmann::json& json);

}  // namespace attnscope
