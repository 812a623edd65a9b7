// SPDX-License-Identifier: Apache-2.0
#include "harness/device/device_info.hpp"

#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include <array>

#include "harness/base/error.hpp"
#include "harness/device/cuda_check.hpp"

namespace attnscope {
namespace {

/// CUDA writes 13.0 as 13000.
std::string version_text(int version) { return fmt::format("{}.{}", version / 1000, version % 1000 / 10); }

std::string uuid_text(const cudaUUID_t& uuid) {
  std::string text = "GPU-";
  for (int i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", static_cast<unsigned char>(uuid.bytes[i]));
  }
  return text;
}

double attribute(cudaDeviceAttr name, int device) {
  int value = 0;
  cuda_check(cudaDeviceGetAttribute(&value, name, device), "cudaDeviceGetAttribute");
  return value;
}

GpuInfo describe(int index) {
  cudaDeviceProp properties;
  cuda_check(cudaGetDeviceProperties(&properties, index), "cudaGetDeviceProperties");
  std::array<char, 32> pci_id{};
  cuda_check(cudaDeviceGetPCIBusId(pci_id.data(), pci_id.size(), index), "cudaDeviceGetPCIBusId");
  return {
      .index = index,
      .name = properties.name,
      .uuid = uuid_text(properties.uuid),
      .pci_id = pci_id.data(),
      .compute_capability = properties.major * 10 + properties.minor,
      .sm_count = properties.multiProcessorCount,
      .l2_bytes = properties.l2CacheSize,
      .memory_bytes = static_cast<std::int64_t>(properties.totalGlobalMem),
      .memory_bus_bits = properties.memoryBusWidth,
      .max_sm_mhz = attribute(cudaDevAttrClockRate, index) / 1e3,
      .max_memory_mhz = attribute(cudaDevAttrMemoryClockRate, index) / 1e3,
      .ecc = properties.ECCEnabled != 0,
  };
}

GpuList list_gpus() {
  GpuList list;
  int version = 0;
  cuda_check(cudaRuntimeGetVersion(&version), "cudaRuntimeGetVersion");
  list.runtime = version_text(version);
  if (cudaDriverGetVersion(&version) == cudaSuccess && version > 0) list.driver_cuda = version_text(version);
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  cudaGetLastError();  // an absent GPU is an answer, not an error that a later call should report
  if (status != cudaSuccess || count == 0) {
    list.reason = list.driver_cuda.empty() ? "no NVIDIA driver on this machine" : cudaGetErrorString(status);
    return list;
  }
  for (int i = 0; i < count; ++i) list.gpus.push_back(describe(i));
  return list;
}

}  // namespace

const GpuList& gpu_list() {
  static const GpuList list = list_gpus();
  return list;
}

void use_gpu(int index) {
  const GpuList& list = gpu_list();
  if (list.gpus.empty()) throw MachineError(fmt::format("cuda:{}: {}", index, list.reason));
  if (index < 0 || index >= static_cast<int>(list.gpus.size()))
    throw MachineError(fmt::format("cuda:{}: this machine has {} GPU(s), cuda:0 to cuda:{}", index, list.gpus.size(),
                                   list.gpus.size() - 1));
  cuda_check(cudaSetDevice(index), "cudaSetDevice");
}

int current_gpu() {
  int index = 0;
  cuda_check(cudaGetDevice(&index), "cudaGetDevice");
  return index;
}

std::int64_t gpu_free_bytes() {
  if (gpu_list().gpus.empty()) return 0;
  std::size_t free_bytes = 0;
  std::size_t total = 0;
  cuda_check(cudaMemGetInfo(&free_bytes, &total), "cudaMemGetInfo");
  return static_cast<std::int64_t>(free_bytes);
}

}  // namespace attnscope
