// SPDX-License-Identifier: Apache-2.0
#include "harness/measure/cupti/calibration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/base/half.hpp"
#include "harness/device/buffer.hpp"
#include "harness/device/device_info.hpp"
#include "harness/device/l2_flush.hpp"
#include "harness/device/stream.hpp"
#include "harness/measure/ceilings/known_work.hpp"
#include "harness/measure/cupti/range_profiler.hpp"

namespace attnscope {
namespace {

constexpr int kMatrix = 2048;
constexpr int kThreads = 1 << 16;
constexpr int kIterations = 1024;
constexpr std::int64_t kMiB = std::int64_t{1} << 20;

const Plan& plan_named(const std::vector<Plan>& plans, const std::string& name) {
  return *std::ranges::find(plans, name, &Plan::name);
}

/// Compares 64 entries of c = a · bᵀ with sums in double: the kernel did the work that it is credited with.
/// |error| ≤ K · 2⁻²⁴ · Σ|a·b| bounds fp32 accumulation in any order, and |a|, |b| ≤ 1 bounds the sum by K.
void check_product(const Buffer& a, const Buffer& b, const Buffer& c) {
  constexpr std::size_t kEntries = static_cast<std::size_t>(kMatrix) * kMatrix;
  std::vector<std::uint16_t> host_a(kEntries);
  std::vector<std::uint16_t> host_b(kEntries);
  std::vector<float> host_c(kEntries);
  a.copy_to_host(host_a.data(), 2 * kEntries);
  b.copy_to_host(host_b.data(), 2 * kEntries);
  c.copy_to_host(host_c.data(), 4 * kEntries);
  const double tolerance = static_cast<double>(kMatrix) * kMatrix * 0x1p-24;
  for (std::size_t i = 0; i < 64; ++i) {
    const std::size_t row = i * 797 % kMatrix;
    const std::size_t column = i * 1223 % kMatrix;
    double exact = 0;
    for (std::size_t k = 0; k < kMatrix; ++k)
      exact += static_cast<double>(bf16_to_float(host_a[row * kMatrix + k])) *
               static_cast<double>(bf16_to_float(host_b[column * kMatrix + k]));
    const double found = host_c[row * kMatrix + column];
    if (std::abs(found - exact) > tolerance)
      throw Error(fmt::format("calibration matmul [{}, {}]: expected {}, found {}", row, column, exact, found));
  }
}

/// The shortest of several: what the profiler alone adds to a range.
double count_overhead(const Plan& core, const Stream& stream) {
  double shortest = std::numeric_limits<double>::infinity();
  for (int i = 0; i < 3; ++i)
    shortest = std::min(shortest, count_call(core, [&] { launch_nothing(stream.handle()); }).at("gpu_time_ns"));
  return shortest;
}

double count_matmul(const Plan& core, const Stream& stream) {
  constexpr std::size_t kEntries = static_cast<std::size_t>(kMatrix) * kMatrix;
  const Buffer a(Space::device, 2 * kEntries);
  const Buffer b(Space::device, 2 * kEntries);
  const Buffer c(Space::device, 4 * kEntries);
  fill_noise_bf16(a.as<std::uint16_t>(), kEntries, stream.handle());
  fill_noise_bf16(b.as<std::uint16_t>(), kEntries, stream.handle());
  const Counters counters = count_call(core, [&] {
    matmul_bf16(a.as<std::uint16_t>(), b.as<std::uint16_t>(), c.as<float>(), kMatrix, kMatrix, kMatrix,
                stream.handle());
  });
  check_product(a, b, c);
  return counters.at("tensor_flops") / (2.0 * kMatrix * kMatrix * kMatrix);
}

/// Counted ÷ known for `launch`, whose every multiply-add counts `flops_each`.
template <typename Launch>
double count_multiply_adds(const Plan& fp, double flops_each, const Launch& launch) {
  Buffer data(Space::device, static_cast<std::size_t>(kThreads) * kFmaChains * sizeof(float));
  data.zero();
  const Counters counters = count_call(fp, [&] { launch(data.data()); });
  return counters.at("fp_flops") / (flops_each * kThreads * kFmaChains * static_cast<double>(kIterations));
}

/// The factors of a copy, from the difference between a whole and a half one: what L2 holds back at the end of a copy
/// (up to its own size, not yet written) is in both and cancels.
void count_copy(const Plan& core, const Stream& stream, Calibration& calibration) {
  const std::int64_t bytes = std::min(2048 * kMiB, gpu_free_bytes() / 4 / kMiB * kMiB);
  const Buffer source(Space::device, static_cast<std::size_t>(bytes));
  const Buffer target(Space::device, static_cast<std::size_t>(bytes));
  fill_noise_bf16(source.as<std::uint16_t>(), bytes / 2, stream.handle());
  L2Flush flush;
  const auto count = [&](std::int64_t size) {
    flush(stream.handle());
    return count_call(core, [&] { copy_memory(target.data(), source.data(), size, stream.handle()); });
  };
  const Counters whole = count(bytes);
  const Counters half = count(bytes / 2);
  if (!whole.contains("dram_read_bytes")) return;  // integrated memory
  const auto factor = [&](const char* name) {
    return (whole.at(name) - half.at(name)) / (static_cast<double>(bytes) / 2);
  };
  calibration.dram_read_factor = factor("dram_read_bytes");
  calibration.dram_write_factor = factor("dram_write_bytes");
  calibration.how += fmt::format("; copies of {} and {} MiB, their difference", bytes / kMiB, bytes / kMiB / 2);
}

}  // namespace

Calibration calibrate_counters() {
  Calibration calibration;
  if (gpu_list().gpus.empty()) {
    calibration.reason = gpu_list().reason;
    return calibration;
  }
  try {
    const std::vector<Plan> plans = counter_plans(current_chip(), Dtype::bf16);
    const Plan& core = plan_named(plans, "core");
    const Plan& fp = plan_named(plans, "fp");
    const Stream stream;
    calibration.how = fmt::format(
        "counted / known: bf16 mma.sync product {0}x{0}x{0}; {1} threads x {2} x {3} fp32 and packed fp16 "
        "multiply-adds",
        kMatrix, kThreads, kIterations, kFmaChains);
    calibration.range_overhead_ns = count_overhead(core, stream);
    calibration.tensor_flops_factor = count_matmul(core, stream);
    count_copy(core, stream, calibration);
    calibration.fp_flops_factor = count_multiply_adds(fp, 2, [&](void* data) {
      multiply_add_f32(static_cast<float*>(data), kThreads, kIterations, stream.handle());
    });
    calibration.fp_half_flops_factor = count_multiply_adds(
        fp, 4, [&](void* data) { multiply_add_half2(data, kThreads, kIterations, stream.handle()); });
  } catch (const MachineError& error) {
    calibration.reason = error.what();
  }
  return calibration;
}

}  // namespace attnscope
