// SPDX-License-Identifier: Apache-2.0
#include "bench/list.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/base/strict_json.hpp"
#include "harness/base/text_file.hpp"
#include "harness/device/device_info.hpp"
#include "harness/method/registry.hpp"
#include "harness/workload/workload.hpp"

namespace attnscope {
namespace {

using nlohmann::json;

json parameters_json(const std::vector<Parameter>& parameters) {
  json list = json::array();
  for (const Parameter& parameter : parameters) {
    json range = json::array({parameter.min, parameter.max});
    if (parameter.type == ParameterType::integer)
      range = {static_cast<std::int64_t>(parameter.min), static_cast<std::int64_t>(parameter.max)};
    if (parameter.type == ParameterType::choice) range = parameter.choices;
    list.push_back({{"name", parameter.name},
                    {"type", to_string(parameter.type)},
                    {"default", parameter.default_value},
                    {"range", range},
                    {"help", parameter.help}});
  }
  return list;
}

template <typename Enum>
json names(const std::vector<Enum>& values) {
  json list = json::array();
  for (const Enum value : values) list.push_back(to_string(value));
  return list;
}

/// Every method has the reference backend: the harness makes it.
std::vector<Backend> all_backends(const MethodInfo& info) {
  std::vector<Backend> backends{Backend::reference};
  std::ranges::copy_if(info.backends, std::back_inserter(backends), [](Backend b) { return b != Backend::reference; });
  return backends;
}

json list_methods() {
  json list = json::array();
  for (const Method* method : methods()) {
    const MethodInfo& info = method->info();
    list.push_back({{"name", info.name},
                    {"title", info.title},
                    {"phases", names(info.phases)},
                    {"backends", names(all_backends(info))},
                    {"trains", info.trains},
                    {"reconstructed", info.reconstructed},
                    {"knob", info.knob},
                    {"parameters", parameters_json(info.parameters)},
                    {"paper",
                     {{"title", info.paper.title},
                      {"authors", info.paper.authors},
                      {"year", info.paper.year},
                      {"venue", info.paper.venue},
                      {"url", info.paper.url}}}});
  }
  return list;
}

json list_workloads() {
  json list = json::array();
  for (const Workload* workload : workloads()) {
    const WorkloadInfo& info = workload->info();
    list.push_back({{"name", info.name},
                    {"title", info.title},
                    {"help", info.help},
                    {"parameters", parameters_json(info.parameters)}});
  }
  list.push_back({{"name", "file"},
                  {"title", "Captured tensors"},
                  {"help", "Q, K and V from a safetensors file or three npy files (parameter path, or --input)."},
                  {"parameters", json::array()}});
  return list;
}

/// The folder `configs` here, or of the source tree in which this program was built.
std::filesystem::path config_folder() {
  std::vector<std::filesystem::path> candidates{std::filesystem::current_path()};
  for (auto folder = std::filesystem::read_symlink("/proc/self/exe"); folder != folder.root_path();)
    candidates.push_back(folder = folder.parent_path());
  for (const auto& candidate : candidates)
    if (std::filesystem::exists(candidate / "configs" / "run.schema.json")) return candidate / "configs";
  throw InputError("list configs: no folder configs/ here or above the program");
}

json list_configs() {
  const std::string schema = "run.schema.json";
  std::vector<json> list;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(config_folder())) {
    const std::filesystem::path& path = entry.path();
    if (path.extension() != ".json" || path.filename() == schema) continue;
    const json config = parse_json(read_text(path), path, Comments::allowed);
    list.push_back({{"name", config.value("name", "")},
                    {"path", std::filesystem::proximate(path).string()},
                    {"description", config.value("description", "")}});
  }
  std::ranges::sort(list, {}, [](const json& config) { return config["path"].get<std::string>(); });
  return list;
}

json list_devices() {
  json list = json::array({{{"device", "cpu"}}});
  for (const GpuInfo& gpu : gpu_list().gpus) {
    json entry = to_json(gpu);
    entry["device"] = fmt::format("cuda:{}", gpu.index);
    list.push_back(entry);
  }
  return list;
}

std::string joined(const json& values) {
  std::string text;
  for (const json& value : values) text += (text.empty() ? "" : ", ") + value.get<std::string>();
  return text;
}

std::string parameters_text(const json& parameters) {
  std::string text;
  for (const json& parameter : parameters)
    text += fmt::format("    {} = {}: {}\n", parameter["name"].get<std::string>(), parameter["default"].dump(),
                        parameter["help"].get<std::string>());
  return text;
}

std::string method_text(const json& method) {
  return fmt::format("{} ({}): {}; {}\n{}", method["name"].get<std::string>(), method["title"].get<std::string>(),
                     joined(method["phases"]), joined(method["backends"]), parameters_text(method["parameters"]));
}

std::string workload_text(const json& workload) {
  return fmt::format("{}: {}\n{}", workload["name"].get<std::string>(), workload["help"].get<std::string>(),
                     parameters_text(workload["parameters"]));
}

std::string config_text(const json& config) {
  return fmt::format("{}: {}\n", config["path"].get<std::string>(), config["description"].get<std::string>());
}

std::string device_text(const json& device) {
  return fmt::format("{} {}\n", device["device"].get<std::string>(), device.value("name", ""));
}

struct Subject {
  std::string name;
  json (*list)();
  std::string (*text)(const json&);
};

const std::vector<Subject> kSubjects{{"methods", list_methods, method_text},
                                     {"workloads", list_workloads, workload_text},
                                     {"configs", list_configs, config_text},
                                     {"devices", list_devices, device_text}};

struct Options {
  std::string subject = "methods";
  bool json = false;
};

void list(const Options& options) {
  const auto subject = std::ranges::find(kSubjects, options.subject, &Subject::name);
  if (subject == kSubjects.end())
    throw InputError(fmt::format("list: expected methods, workloads, configs or devices, found '{}'", options.subject));
  const json entries = subject->list();
  if (options.json) {
    fmt::print("{}\n", entries.dump(2));
    return;
  }
  for (const json& entry : entries) fmt::print("{}", subject->text(entry));
}

}  // namespace

void add_list(CLI::App& app, int&) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("list", "List methods, workloads, configs or devices");
  command->add_option("what", options->subject, "methods (default), workloads, configs or devices");
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options] { list(*options); });
}

}  // namespace attnscope
