// SPDX-License-Identifier: Apache-2.0
#include "harness/config/config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <tuple>

#include "harness/base/error.hpp"
#include "harness/base/mapped_file.hpp"
#include "harness/base/strict_json.hpp"
#include "harness/config/axes.hpp"
#include "harness/config/fields.hpp"
#include "harness/config/overrides.hpp"

namespace attnscope {
namespace {

using config::fail;
using config::Place;
using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::array<std::pair<Contract, std::string_view>, 3> kContracts{
    {{Contract::cold, "cold"}, {Contract::warm, "warm"}, {Contract::graph, "graph"}}};

void check_root(const ordered_json& root, const std::string& file) {
  if (!root.is_object()) fail(file, "", fmt::format("expected an object, found {}", quote(root)));
  const std::vector<std::string> known{"$schema", "name", "description", "tier", "defaults", "sweeps"};
  for (const auto& [name, node] : root.items())
    if (std::ranges::find(known, name) == known.end())
      fail(file, config::member({&root, ""}, name).pointer, config::unknown_key(name, known));
  if (root.contains("defaults") && !root["defaults"].is_object())
    fail(file, "/defaults", fmt::format("expected an object, found {}", quote(root["defaults"])));
  if (!root.contains("sweeps")) fail(file, "/sweeps", "expected a list of sweeps, found none");
  const ordered_json& sweeps = root["sweeps"];
  if (!sweeps.is_array() || sweeps.empty())
    fail(file, "/sweeps", fmt::format("expected a list of at least one sweep, found {}", quote(sweeps)));
  for (std::size_t i = 0; i < sweeps.size(); ++i)
    if (!sweeps[i].is_object())
      fail(file, fmt::format("/sweeps/{}", i), fmt::format("expected an object, found {}", quote(sweeps[i])));
}

/// The text at a key of the root, or `missing` when it is not there.
std::string root_text(const ordered_json& root, const std::string& key, const std::string& missing,
                      const std::string& file) {
  const auto found = root.find(key);
  if (found == root.end()) return missing;
  if (!found->is_string()) fail(file, "/" + key, fmt::format("expected a string, found {}", quote(*found)));
  return found->get<std::string>();
}

std::string root_tier(const ordered_json& root, const std::string& file) {
  constexpr std::array<std::string_view, 5> kTiers{"auto", "T0", "T1", "T2", "T3"};
  std::string tier = root_text(root, "tier", "auto", file);
  if (std::ranges::find(kTiers, tier) == kTiers.end())
    fail(file, "/tier", fmt::format("expected one of {}, found {}", fmt::join(kTiers, ", "), quote(tier)));
  return tier;
}

/// Adds the points of one sweep.
void add_points(std::vector<PointSpec>& points, const Place& sweep, const Place& defaults, const std::string& file) {
  for (const config::Choice& choice : config::expand(sweep, defaults, file)) {
    points.push_back(config::make_point(choice, sweep.pointer, file));
    if (points.size() > config::kMaxPoints)
      fail(file, "/sweeps", fmt::format("expected at most {} points in all, found more", config::kMaxPoints));
  }
}

// Different choices can name the same point: under the workload `file` the tensors decide the shape, and a method's own
// backend goes before every backend of its sweep.
void keep_once(std::vector<PointSpec>& points) {
  const auto identity = [](const PointSpec& p) {
    const Shape& s = p.shape;
    const Sampling& n = p.sampling;
    return std::tuple(
        p.method, p.params, p.backend, p.phase, p.workload, p.workload_params, p.seed, p.contract, p.accuracy_rows,
        std::tuple(s.batch, s.q_heads, s.kv_heads, s.head_dim, s.q_len, s.kv_len, s.causal, s.dtype, s.cache_page,
                   s.history),
        std::tuple(n.processes, n.ci_width, n.min_samples, n.max_samples, n.max_seconds, n.timeout_seconds));
  };
  std::set<decltype(identity(points.front()))> seen;
  std::erase_if(points, [&](const PointSpec& p) { return !seen.insert(identity(p)).second; });
}

}  // namespace

std::string_view to_string(Contract contract) {
  for (const auto& [value, name] : kContracts)
    if (value == contract) return name;
  throw Error("contract without a name");
}

Contract parse_contract(std::string_view text) {
  for (const auto& [value, name] : kContracts)
    if (name == text) return value;
  throw InputError(fmt::format("contract: expected one of cold, warm, graph, found '{}'", text));
}

RunConfig parse_config(const std::string& text, const std::string& name, const std::vector<std::string>& overrides,
                       const std::string& input) {
  ordered_json root = parse_ordered_json(text, name, Comments::allowed);
  for (const std::string& assignment : overrides) config::apply_override(root, assignment);
  check_root(root, name);
  if (!input.empty())
    for (ordered_json& sweep : root["sweeps"]) sweep["workload"] = {{"name", "file"}, {"params", {{"path", input}}}};

  RunConfig run;
  run.name = root_text(root, "name", "", name);
  run.description = root_text(root, "description", "", name);
  run.tier = root_tier(root, name);
  const Place top{&root, ""};
  const Place defaults = root.contains("defaults") ? config::member(top, "defaults") : Place{};
  const Place sweeps = config::member(top, "sweeps");
  for (std::size_t i = 0; i < sweeps.node->size(); ++i)
    add_points(run.points, {&sweeps.node->at(i), fmt::format("{}/{}", sweeps.pointer, i)}, defaults, name);
  keep_once(run.points);
  run.source = root;
  return run;
}

RunConfig load_config(const std::string& path, const std::vector<std::string>& overrides, const std::string& input) {
  const MappedFile file(path);
  const auto bytes = file.bytes();
  return parse_config({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path, overrides, input);
}

}  // namespace attnscope
