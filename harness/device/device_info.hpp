// SPDX-License-Identifier: Apache-2.0
// The GPUs of this machine, as the CUDA runtime reports them.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace attnscope {

struct GpuInfo {
  int index = 0;
  std::string name;
  std::string uuid;            // GPU-xxxxxxxx-xxxx-...
  std::string pci_id;          // 0000:00:00.0
  int compute_capability = 0;  // 90 for sm_90
  int sm_count = 0;
  std::int64_t l2_bytes = 0;
  std::int64_t memory_bytes = 0;
  std::int64_t memory_bus_bits = 0;
  double max_sm_mhz = 0;
  double max_memory_mhz = 0;
  bool ecc = false;
};

struct GpuList {
  std::vector<GpuInfo> gpus;
  std::string reason;       // why `gpus` is empty
  std::string driver_cuda;  // newest CUDA that the driver supports, "13.0"; empty without a driver
  std::string runtime;      // CUDA runtime linked, "13.0"; empty in a build without CUDA
};

/// Asked once per process.
const GpuList& gpu_list();

/// Makes GPU `index` current for this thread. Throws MachineError naming the GPUs there are.
void use_gpu(int index);

/// Index of the current GPU. Throws MachineError in a build without CUDA.
int current_gpu();

/// Bytes of memory free on the current GPU; 0 without one.
std::int64_t gpu_free_bytes();

nlohmann::json to_json(const GpuInfo& gpu);

}  // namespace attnscope
