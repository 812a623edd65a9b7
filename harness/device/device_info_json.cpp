// SPDX-License-Identifier: Apache-2.0
#include "harness/device/device_info.hpp"

namespace attnscope {

nlohmann::json to_json(const GpuInfo& gpu) {
  return {{"index", gpu.index},
          {"name", gpu.name},
          {"uuid", gpu.uuid},
          {"pci_id", gpu.pci_id},
          {"compute_capability", gpu.compute_capability},
          {"sm_count", gpu.sm_count},
          {"l2_bytes", gpu.l2_bytes},
          {"memory_bytes", gpu.memory_bytes},
          {"memory_bus_bits", gpu.memory_bus_bits},
          {"max_sm_mhz", gpu.max_sm_mhz},
          {"max_memory_mhz", gpu.max_memory_mhz},
          {"ecc", gpu.ecc}};
}

}  // namespace attnscope
