// SPDX-License-Identifier: Apache-2.0
#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>

#include "harness/device/buffer.hpp"
#include "harness/device/cuda_check.hpp"
#include "harness/device/device_info.hpp"
#include "harness/device/stream.hpp"
#include "harness/measure/ceilings/ceilings.hpp"
#include "harness/measure/ceilings/cublas.hpp"
#include "harness/measure/ceilings/known_work.hpp"
#include "harness/measure/ceilings/summarize.hpp"

namespace attnscope {
namespace {

constexpr std::int64_t kMiB = std::int64_t{1} << 20;
constexpr int kLaunches = 200;  // per sample of the launch costs

/// GPU nanoseconds of each of `samples` runs of `enqueue`, after one that warms up.
std::vector<double> gpu_times(const Stream& stream, int samples, const std::function<void()>& enqueue) {
  enqueue();
  std::vector<double> times;
  Event start;
  Event stop;
  for (int i = 0; i < samples; ++i) {
    start.record(stream.handle());
    enqueue();
    stop.record(stream.handle());
    stop.synchronize();
    times.push_back(start.nanoseconds_until(stop));
  }
  return times;
}

/// `amount` per second for every time.
std::vector<double> per_second(double amount, std::vector<double> times_ns) {
  for (double& value : times_ns) value = amount / value * 1e9;
  return times_ns;
}

Buffer noise(std::int64_t bytes, const Stream& stream) {
  Buffer buffer(Space::device, static_cast<std::size_t>(bytes));
  fill_noise_bf16(buffer.as<std::uint16_t>(), bytes / 2, stream.handle());
  return buffer;
}

/// The same 128 KiB in flight per SM, spread over many or few threads, and half of it.
constexpr std::array kShapes{StreamShape{8, 2}, StreamShape{8, 4}, StreamShape{4, 8}, StreamShape{2, 16}};

/// The rate of the fastest shape for `bytes` moved per run of `enqueue`.
Ceiling fastest(const Stream& stream, int samples, double bytes, const std::string& what,
                const std::function<void(StreamShape)>& enqueue) {
  Ceiling best;
  for (const StreamShape shape : kShapes) {
    const auto times = gpu_times(stream, samples, [&] { enqueue(shape); });
    const Ceiling ceiling =
        summarize(per_second(bytes, times), fmt::format("{}, {} blocks of 256 per SM, {} loads in flight", what,
                                                        shape.blocks_per_sm, shape.loads_in_flight));
    if (ceiling.median > best.median) best = ceiling;
  }
  return best;
}

void measure_memory(Ceilings& ceilings, const GpuInfo& gpu, const Stream& stream, int samples) {
  // 4 GiB is tens of times any L2; less where the GPU is nearly full.
  const std::int64_t bytes = std::min(4096 * kMiB, gpu_free_bytes() / 4 / kMiB * kMiB);
  const Buffer source = noise(bytes, stream);
  const Buffer target(Space::device, static_cast<std::size_t>(bytes));
  auto* sink = target.as<std::uint32_t>();
  const auto size = static_cast<double>(bytes);

  ceilings["read_bytes_per_s"] =
      fastest(stream, samples, size, fmt::format("16-byte loads over {} MiB of noise", bytes / kMiB),
              [&](StreamShape shape) { read_memory(source.data(), bytes, 1, sink, stream.handle(), shape); });
  ceilings["copy_bytes_per_s"] =
      fastest(stream, samples, 2 * size,
              fmt::format("16-byte loads and stores over {} MiB, bytes read plus written", bytes / kMiB),
              [&](StreamShape shape) { copy_memory(target.data(), source.data(), bytes, stream.handle(), shape); });

  constexpr int kRepeats = 50;
  const std::int64_t resident = std::min(gpu.l2_bytes / 2, bytes) / 16 * 16;
  ceilings["l2_read_bytes_per_s"] =
      fastest(stream, samples, static_cast<double>(kRepeats * resident),
              fmt::format("16-byte loads past L1, {} times over {:.1f} MiB (half of L2)", kRepeats,
                          static_cast<double>(resident) / static_cast<double>(kMiB)),
              [&](StreamShape shape) { read_memory(source.data(), resident, kRepeats, sink, stream.handle(), shape); });
}

void measure_matmul(Ceilings& ceilings, const Stream& stream, int samples) {
  std::string why_not;
  const std::unique_ptr<Cublas> cublas = Cublas::open(why_not);
  const std::int64_t n = cublas ? 8192 : 4096;  // our plain kernel takes long
  const Buffer a = noise(2 * n * n, stream);
  const Buffer b = noise(2 * n * n, stream);
  const Buffer c(Space::device, static_cast<std::size_t>(4 * n * n));
  const int size = static_cast<int>(n);
  const auto times = gpu_times(stream, samples, [&] {
    if (cublas)
      cublas->matmul_bf16(a.as<std::uint16_t>(), b.as<std::uint16_t>(), c.as<std::uint16_t>(), size, stream.handle());
    else
      matmul_bf16(a.as<std::uint16_t>(), b.as<std::uint16_t>(), c.as<float>(), size, size, size, stream.handle());
  });
  const double flops = 2.0 * static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(n);
  ceilings["matmul_bf16_flops_per_s"] = summarize(
      per_second(flops, times),
      cublas ? fmt::format("cuBLAS {0}x{0}x{0} bf16 on noise", n)
             : fmt::format("own unoptimised mma.sync kernel {0}x{0}x{0} ({1}): below what the GPU can do", n, why_not));
}

void measure_launches(Ceilings& ceilings, const Stream& stream, int samples) {
  const auto enqueue = [&] {
    for (int i = 0; i < kLaunches; ++i) launch_nothing(stream.handle());
  };
  std::vector<double> values;
  enqueue();
  stream.synchronize();
  for (int i = 0; i < samples; ++i) {
    const auto start = std::chrono::steady_clock::now();
    enqueue();
    stream.synchronize();
    const std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - start;
    values.push_back(time.count() / kLaunches);
  }
  ceilings["launch_ns"] = summarize(values, fmt::format("{} empty kernels back to back, host clock", kLaunches));

  auto* handle = static_cast<cudaStream_t>(stream.handle());
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t executable = nullptr;
  cuda_check(cudaStreamBeginCapture(handle, cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
  enqueue();
  cuda_check(cudaStreamEndCapture(handle, &graph), "cudaStreamEndCapture");
  cuda_check(cudaGraphInstantiate(&executable, graph, 0), "cudaGraphInstantiate");
  values = gpu_times(stream, samples, [&] { cuda_check(cudaGraphLaunch(executable, handle), "cudaGraphLaunch"); });
  for (double& value : values) value /= kLaunches;
  ceilings["graph_node_ns"] = summarize(values, fmt::format("graph of {} empty kernels in a chain", kLaunches));
  cuda_check(cudaGraphExecDestroy(executable), "cudaGraphExecDestroy");
  cuda_check(cudaGraphDestroy(graph), "cudaGraphDestroy");
}

}  // namespace

Ceilings measure_gpu_ceilings(Effort effort) {
  Ceilings ceilings;
  if (gpu_list().gpus.empty()) return ceilings;
  const GpuInfo& gpu = gpu_list().gpus.at(static_cast<std::size_t>(current_gpu()));
  const int samples = effort == Effort::quick ? 9 : 51;
  const Stream stream;
  measure_launches(ceilings, stream, samples);
  measure_memory(ceilings, gpu, stream, samples);
  measure_matmul(ceilings, stream, samples);
  return ceilings;
}

}  // namespace attnscope
