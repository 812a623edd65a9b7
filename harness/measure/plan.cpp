// SPDX-License-Identifier: Apache-2.0
#include "harness/measure/plan.hpp"

#include <algorithm>

#include "harness/base/error.hpp"
#include "harness/method/registry.hpp"
#include "harness/workload/file.hpp"
#include "harness/workload/workload.hpp"

namespace attnscope {
namespace {

/// Calls a look-up, and says in its failure where in the config the name stands.
template <typename Lookup>
auto& looked_up(const PointSpec& spec, const Lookup& lookup) {
  try {
    return lookup();
  } catch (const InputError& error) {
    throw InputError(spec.where + ": " + error.what());
  }
}

void resolve_inputs(PointSpec& spec) {
  if (spec.workload == "file") {
    const FileOptions header_only{.causal = spec.shape.causal, .check_finite = false};
    const MappedProblem problem = map_problem(spec.workload_params.at("path").get<std::string>(), header_only);
    const std::int64_t cache_page = spec.shape.cache_page;
    spec.shape = problem.shape;
    spec.shape.cache_page = cache_page;
    spec.phase = problem.phase;
    validate(spec.shape, spec.where);
    return;
  }
  validate(spec.shape, spec.where);
  const Workload& workload = looked_up(spec, [&]() -> const Workload& { return find_workload(spec.workload); });
  spec.workload_params =
      Params::resolve(workload.info().parameters, spec.workload_params, spec.where + ": workload").json();
}

nlohmann::json shape_json(const Shape& shape) {
  return {{"batch", shape.batch},           {"q_heads", shape.q_heads},
          {"kv_heads", shape.kv_heads},     {"head_dim", shape.head_dim},
          {"q_len", shape.q_len},           {"kv_len", shape.kv_len},
          {"causal", shape.causal},         {"dtype", to_string(shape.dtype)},
          {"cache_page", shape.cache_page}, {"history", shape.history}};
}

Shape shape_from_json(const nlohmann::json& json) {
  return {.batch = json.at("batch"),
          .q_heads = json.at("q_heads"),
          .kv_heads = json.at("kv_heads"),
          .head_dim = json.at("head_dim"),
          .q_len = json.at("q_len"),
          .kv_len = json.at("kv_len"),
          .causal = json.at("causal"),
          .dtype = parse_dtype(json.at("dtype").get<std::string>()),
          .cache_page = json.at("cache_page"),
          .history = json.at("history")};
}

}  // namespace

std::vector<PointSpec> resolve_points(const RunConfig& config) {
  std::vector<PointSpec> points = config.points;
  for (PointSpec& spec : points) {
    const Method& method = looked_up(spec, [&]() -> const Method& { return find_method(spec.method); });
    spec.params = Params::resolve(method.info().parameters, spec.params, spec.where).json();
    resolve_inputs(spec);
  }
  return points;
}

std::string problem_key(const PointSpec& spec) {
  Shape shape = spec.shape;
  shape.cache_page = 0;  // a way to store the same bytes
  return nlohmann::json{{"workload", spec.workload},  {"params", spec.workload_params},
                        {"seed", spec.seed},          {"phase", to_string(spec.phase)},
                        {"shape", shape_json(shape)}, {"rows", spec.accuracy_rows}}
      .dump();
}

std::vector<Step> schedule(const std::vector<PointSpec>& points) {
  int rounds = 0;
  for (const PointSpec& spec : points) rounds = std::max(rounds, spec.sampling.processes);
  std::vector<Step> steps;
  for (int round = 0; round < rounds; ++round)
    for (std::size_t i = 0; i < points.size(); ++i)
      if (round < points[i].sampling.processes) steps.push_back({.point = i, .process = round});
  return steps;
}

nlohmann::json to_json(const PointSpec& spec) {
  const Sampling& sampling = spec.sampling;
  return {{"where", spec.where},
          {"method", spec.method},
          {"params", spec.params},
          {"backend", to_string(spec.backend)},
          {"phase", to_string(spec.phase)},
          {"workload", spec.workload},
          {"workload_params", spec.workload_params},
          {"seed", spec.seed},
          {"shape", shape_json(spec.shape)},
          {"contract", to_string(spec.contract)},
          {"sampling",
           {{"processes", sampling.processes},
            {"ci_width", sampling.ci_width},
            {"min_samples", sampling.min_samples},
            {"max_samples", sampling.max_samples},
            {"max_seconds", sampling.max_seconds},
            {"timeout_seconds", sampling.timeout_seconds}}},
          {"accuracy_rows", spec.accuracy_rows}};
}

PointSpec spec_from_json(const nlohmann::json& json) {
  const nlohmann::json& sampling = json.at("sampling");
  return {.where = json.at("where"),
          .method = json.at("method"),
          .params = json.at("params"),
          .backend = parse_backend(json.at("backend").get<std::string>()),
          .phase = parse_phase(json.at("phase").get<std::string>()),
          .workload = json.at("workload"),
          .workload_params = json.at("workload_params"),
          .seed = json.at("seed"),
          .shape = shape_from_json(json.at("shape")),
          .contract = parse_contract(json.at("contract").get<std::string>()),
          .sampling = {.processes = sampling.at("processes"),
                       .ci_width = sampling.at("ci_width"),
                       .min_samples = sampling.at("min_samples"),
                       .max_samples = sampling.at("max_samples"),
                       .max_seconds = sampling.at("max_seconds"),
                       .timeout_seconds = sampling.at("timeout_seconds")},
          .accuracy_rows = json.at("accuracy_rows")};
}

}  // namespace attnscope
