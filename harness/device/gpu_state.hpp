// SPDX-License-Identifier: Apache-2.0
// Clocks, power, temperature and throttling of a GPU right now, through NVML where there is one. Reads only.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "harness/device/device_info.hpp"

namespace attnscope {

/// Members are absent where the driver does not tell.
struct GpuState {
  std::optional<double> sm_mhz;
  std::optional<double> mem_mhz;
  std::optional<double> power_w;
  std::optional<double> power_limit_w;
  std::optional<double> temperature_c;
  std::optional<bool> persistence_mode;
  std::optional<bool> mig;
  std::vector<std::string> throttle;  // reasons in force: sw_power_cap, hw_thermal_slowdown, ...
};

/// Nothing when NVML (libnvidia-ml.so.1) is absent or does not know the GPU.
std::optional<GpuState> read_gpu_state(const GpuInfo& gpu);

/// Driver version as NVML tells it, e.g. "580.95.05"; empty without NVML.
std::string driver_version();

nlohmann::json to_json(const GpuState& state);

}  // namespace attnscope
