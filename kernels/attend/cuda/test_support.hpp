// SPDX-License-Identifier: Apache-2.0
// What the GPU tests of the engines share: seeded host tensors, and copies of them on the device between guard bands.
#pragma once

#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <random>
#include <span>
#include <vector>

#include "harness/base/half.hpp"
#include "harness/device/buffer.hpp"

namespace attnscope {

/// Skips every test of a suite on a machine without a GPU.
class GpuTest : public ::testing::Test {
 protected:
  void SetUp() override {
    int devices = 0;
    if (cudaGetDeviceCount(&devices) != cudaSuccess || devices == 0) GTEST_SKIP() << "no GPU";
  }
};

/// Standard normal elements, rounded to `dtype`.
inline std::vector<std::byte> random_tensor(Dtype dtype, std::int64_t elements, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  std::vector<std::byte> tensor(static_cast<std::size_t>(elements * size_of(dtype)));
  for (std::int64_t e = 0; e < elements; ++e) store_element(tensor.data(), dtype, e, normal(generator));
  return tensor;
}

inline Buffer device_bytes(std::size_t bytes) {
  Buffer buffer(Space::device, bytes == 0 ? 1 : bytes);
  buffer.poison();
  return buffer;
}

template <typename T>
Buffer to_device(const std::vector<T>& host) {
  Buffer buffer = device_bytes(host.size() * sizeof(T));
  if (!host.empty()) buffer.copy_from_host(host.data(), host.size() * sizeof(T));
  return buffer;
}

template <typename T>
std::vector<T> to_host(const Buffer& buffer, std::int64_t count) {
  std::vector<T> host(static_cast<std::size_t>(count));
  buffer.copy_to_host(host.data(), host.size() * sizeof(T));
  return host;
}

template <typename T>
std::span<const T> device_span(const Buffer& buffer, std::size_t count) {
  return {buffer.as<const T>(), count};
}

inline void finish() { ASSERT_EQ(cudaDeviceSynchronize(), cudaSuccess) << cudaGetErrorString(cudaGetLastError()); }

}  // namespace attnscope
