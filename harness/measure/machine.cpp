// SPDX-License-Identifier: Apache-2.0
#include "harness/measure/machine.hpp"

#include <sys/utsname.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

namespace attnscope {
namespace {

namespace fs = std::filesystem;
const fs::path kCpu0 = "/sys/devices/system/cpu/cpu0";

std::optional<std::string> first_line(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  return line;
}

/// The value of `key` in a file of "key : value" lines.
std::optional<std::string> field(const fs::path& path, const std::string& key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(key)) continue;
    const auto value = line.find_first_not_of(" \t", line.find(':') + 1);
    if (value != std::string::npos) return line.substr(value);
  }
  return std::nullopt;
}

std::optional<std::string> governor() { return first_line(kCpu0 / "cpufreq/scaling_governor"); }

std::optional<std::string> container() {
  if (fs::exists("/.dockerenv")) return "docker";
  if (fs::exists("/run/.containerenv")) return "podman";
  if (std::getenv("KUBERNETES_SERVICE_HOST")) return "kubernetes";
  return std::nullopt;
}

/// Number of CPUs in a mask such as "00000000,00000003".
int count_bits(const std::string& mask) {
  int bits = 0;
  for (const char digit : mask)
    if (std::isxdigit(static_cast<unsigned char>(digit)))
      for (int value = std::stoi(std::string(1, digit), nullptr, 16); value; value &= value - 1) ++bits;
  return bits;
}

int numa_nodes() {
  int nodes = 0;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/sys/devices/system/node", ignored)) {
    const std::string name = entry.path().filename();
    nodes += name.starts_with("node") && name.find_first_not_of("0123456789", 4) == std::string::npos;
  }
  return nodes;
}

}  // namespace

nlohmann::json describe_machine() {
  nlohmann::json json = nlohmann::json::object();
  const auto put = [&](const char* key, const std::optional<std::string>& value) {
    if (value) json[key] = *value;
  };
  utsname names{};
  if (uname(&names) == 0) json["kernel"] = std::string(names.sysname) + " " + names.release + " " + names.machine;
  put("cpu_model", field("/proc/cpuinfo", "model name"));
  json["cores_online"] = sysconf(_SC_NPROCESSORS_ONLN);
  if (const int nodes = numa_nodes()) json["numa_nodes"] = nodes;
  json["memory_bytes"] = static_cast<std::int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGE_SIZE);
  put("governor", governor());
  put("huge_pages", first_line("/sys/kernel/mm/transparent_hugepage/enabled"));
  put("container", container());
  return json;
}

nlohmann::json describe_caches() {
  nlohmann::json caches = nlohmann::json::array();
  for (int i = 0;; ++i) {
    const fs::path cache = kCpu0 / "cache" / ("index" + std::to_string(i));
    const auto type = first_line(cache / "type");
    const auto level = first_line(cache / "level");
    const auto size = first_line(cache / "size");  // "48K"
    const auto shared = first_line(cache / "shared_cpu_map");
    if (!type || !level || !size || !shared) return caches;
    caches.push_back({{"type", *type},
                      {"level", std::stoi(*level)},
                      {"size", std::stoll(*size) * 1024},
                      {"num_sharing", count_bits(*shared)}});
  }
}

int cpu_mhz() {
  if (const auto khz = first_line(kCpu0 / "cpufreq/cpuinfo_max_freq")) return std::stoi(*khz) / 1000;
  const auto mhz = field("/proc/cpuinfo", "cpu MHz");
  return mhz ? static_cast<int>(std::lround(std::stod(*mhz))) : 0;
}

bool cpu_scaling_enabled() {
  const auto name = governor();
  return name && *name != "performance";
}

}  // namespace attnscope
