// SPDX-License-Identifier: Apache-2.0
#include "harness/measure/environment.hpp"

#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <ctime>

#include "environment_build.hpp"
#include "environment_git.hpp"
#include "harness/device/device_info.hpp"
#include "harness/device/gpu_state.hpp"
#include "harness/measure/machine.hpp"
#if ATTNSCOPE_CUDA
#include <cupti_version.h>
#endif

namespace attnscope {
namespace {

/// Local time as RFC 3339: "2026-11-22T22:30:00+00:00".
std::string now() {
  const std::time_t time = std::time(nullptr);
  std::tm local{};
  localtime_r(&time, &local);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%FT%T%z", &local);
  std::string date = text.data();
  return date.insert(date.size() - 2, ":");
}

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

nlohmann::json load_averages() {
  std::array<double, 3> loads{};
  const int known = getloadavg(loads.data(), static_cast<int>(loads.size()));
  return std::vector<double>(loads.begin(), loads.begin() + std::max(known, 0));
}

nlohmann::json build() {
  nlohmann::json json{{"version", kVersion},      {"git_sha", kGitSha},    {"git_dirty", kGitDirty},
                      {"type", kBuildType},       {"compiler", kCompiler}, {"flags", kCompilerFlags},
                      {"sanitizers", kSanitizers}};
#if ATTNSCOPE_CUDA
  json["cuda"] = {{"compiler", kCudaCompiler},
                  {"flags", kCudaFlags},
                  {"architectures", kCudaArchitectures},
                  {"cupti_api_version", CUPTI_API_VERSION}};
#endif
  return json;
}

}  // namespace

nlohmann::json environment(std::span<const std::string> argv) {
  const GpuList& list = gpu_list();
  nlohmann::json gpus = nlohmann::json::array();
  for (const GpuInfo& gpu : list.gpus) {
    gpus.push_back(to_json(gpu));
    if (const auto state = read_gpu_state(gpu)) gpus.back()["state"] = to_json(*state);
  }
  return {{"date", now()},
          {"host_name", host_name()},
          {"executable", argv.empty() ? "" : argv.front()},
          {"num_cpus", sysconf(_SC_NPROCESSORS_ONLN)},
          {"mhz_per_cpu", cpu_mhz()},
          {"cpu_scaling_enabled", cpu_scaling_enabled()},
          {"caches", describe_caches()},
          {"load_avg", load_averages()},
          {"library_build_type", std::string_view(kBuildType) == "Debug" ? "debug" : "release"},
          {"argv", std::vector<std::string>(argv.begin(), argv.end())},
          {"build", build()},
          {"machine", describe_machine()},
          {"gpus", gpus},
          {"cuda", {{"driver", driver_version()}, {"driver_cuda", list.driver_cuda}, {"runtime", list.runtime}}}};
}

}  // namespace attnscope
