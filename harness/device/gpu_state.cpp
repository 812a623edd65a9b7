// SPDX-License-Identifier: Apache-2.0
// NVML by name: its header is not part of every toolkit, and a machine without a driver has no library to link.
#include "harness/device/gpu_state.hpp"

#include <array>

#include "harness/device/shared_library.hpp"

namespace attnscope {
namespace {

// From the NVML API reference: every function returns 0 on success.
using NvmlDevice = void*;
constexpr unsigned kSmClock = 1;
constexpr unsigned kMemoryClock = 2;
constexpr unsigned kGpuTemperature = 0;
using GetOne = int(NvmlDevice, unsigned*);
using GetTwo = int(NvmlDevice, unsigned*, unsigned*);
using GetKind = int(NvmlDevice, unsigned, unsigned*);
using GetMask = int(NvmlDevice, unsigned long long*);

struct ThrottleReason {
  unsigned long long bit;
  const char* name;
};
/// Bits of nvmlDeviceGetCurrentClocksEventReasons.
constexpr std::array kThrottle{
    ThrottleReason{0x1, "gpu_idle"},
    ThrottleReason{0x2, "applications_clocks_setting"},
    ThrottleReason{0x4, "sw_power_cap"},
    ThrottleReason{0x8, "hw_slowdown"},
    ThrottleReason{0x10, "sync_boost"},
    ThrottleReason{0x20, "sw_thermal_slowdown"},
    ThrottleReason{0x40, "hw_thermal_slowdown"},
    ThrottleReason{0x80, "hw_power_brake_slowdown"},
    ThrottleReason{0x100, "display_clocks_setting"},
};

/// NVML, initialised; not open when the machine has none.
const SharedLibrary& nvml() {
  static const SharedLibrary library = [] {
    SharedLibrary opened("libnvidia-ml.so.1");
    auto* init = opened.find<int()>("nvmlInit_v2");
    return init && init() == 0 ? opened : SharedLibrary();
  }();
  return library;
}

template <typename Function, typename... Arguments>
bool call(const char* name, Arguments... arguments) {
  auto* function = nvml().find<Function>(name);
  return function && function(arguments...) == 0;
}

std::optional<double> scaled(bool known, unsigned value, double scale) {
  return known ? std::optional<double>(value * scale) : std::nullopt;
}

}  // namespace

std::optional<GpuState> read_gpu_state(const GpuInfo& gpu) {
  NvmlDevice device = nullptr;
  if (!call<int(const char*, NvmlDevice*)>("nvmlDeviceGetHandleByPciBusId_v2", gpu.pci_id.c_str(), &device))
    return std::nullopt;
  GpuState state;
  unsigned value = 0;
  const auto clock = [&](unsigned kind) {
    const bool known = call<GetKind>("nvmlDeviceGetClockInfo", device, kind, &value);
    return scaled(known, value, 1);
  };
  const auto one = [&](const char* name, double scale) {
    const bool known = call<GetOne>(name, device, &value);
    return scaled(known, value, scale);
  };
  state.sm_mhz = clock(kSmClock);
  state.mem_mhz = clock(kMemoryClock);
  state.power_w = one("nvmlDeviceGetPowerUsage", 1e-3);  // milliwatts
  state.power_limit_w = one("nvmlDeviceGetPowerManagementLimit", 1e-3);
  if (call<GetKind>("nvmlDeviceGetTemperature", device, kGpuTemperature, &value)) state.temperature_c = value;
  if (call<GetOne>("nvmlDeviceGetPersistenceMode", device, &value)) state.persistence_mode = value != 0;
  unsigned pending = 0;
  if (call<GetTwo>("nvmlDeviceGetMigMode", device, &value, &pending)) state.mig = value != 0;
  unsigned long long mask = 0;
  if (call<GetMask>("nvmlDeviceGetCurrentClocksEventReasons", device, &mask) ||
      call<GetMask>("nvmlDeviceGetCurrentClocksThrottleReasons", device, &mask))
    for (const auto& [bit, name] : kThrottle)
      if (mask & bit) state.throttle.emplace_back(name);
  return state;
}

std::string driver_version() {
  std::array<char, 96> text{};
  if (!call<int(char*, unsigned)>("nvmlSystemGetDriverVersion", text.data(), static_cast<unsigned>(text.size())))
    return {};
  return text.data();
}

nlohmann::json to_json(const GpuState& state) {
  nlohmann::json json = nlohmann::json::object();
  const auto put = [&](const char* key, const auto& value) {
    if (value) json[key] = *value;
  };
  put("sm_mhz", state.sm_mhz);
  put("mem_mhz", state.mem_mhz);
  put("power_w", state.power_w);
  put("power_limit_w", state.power_limit_w);
  put("temperature_c", state.temperature_c);
  put("persistence_mode", state.persistence_mode);
  put("mig", state.mig);
  json["throttle"] = state.throttle;
  return json;
}

}  // namespace attnscope
