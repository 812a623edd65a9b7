// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <fstream>
#include <functional>
#include <string>

#include "harness/device/buffer.hpp"
#include "harness/measure/ceilings/ceilings.hpp"
#include "harness/measure/ceilings/cpu_loops.hpp"
#include "harness/measure/ceilings/summarize.hpp"

namespace attnscope {
namespace {

constexpr std::int64_t kGiB = std::int64_t{1} << 30;
constexpr std::int64_t kFmaIterations = 3'000'000;  // some 10 ms

/// Memory that may be taken without swapping, from /proc/meminfo; 4 GiB where that cannot be read.
std::int64_t available_bytes() {
  std::ifstream file("/proc/meminfo");
  std::string key;
  for (std::int64_t kib = 0; file >> key; file.ignore(256, '\n'))
    if (key == "MemAvailable:" && file >> kib) return kib * 1024;
  return 4 * kGiB;
}

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Rates of `samples` repetitions of `work`.
std::vector<double> rates(double amount, int samples, const std::function<void()>& work) {
  std::vector<double> values;
  values.reserve(samples);
  for (int i = 0; i < samples; ++i) values.push_back(amount / seconds_of(work));
  return values;
}

/// Runs `part(first, count)` over `total` in pieces that `threads` threads take as they come: with equal shares the
/// slowest thread (two of them on one core, say) would set the rate, and a kernel that balances its work would pass
/// the ceiling.
template <typename Part>
void share(std::int64_t total, int threads, const Part& part) {
  constexpr std::int64_t kPiecesPerThread = 32;
  const std::int64_t pieces = kPiecesPerThread * threads;
#pragma omp parallel for schedule(dynamic) num_threads(threads)
  for (std::int64_t i = 0; i < pieces; ++i) {
    const std::int64_t first = total * i / pieces;
    part(first, total * (i + 1) / pieces - first);
  }
}

/// Keeps a result that nobody needs from being optimised away.
void keep(float value) {
  volatile float sink = value;
  static_cast<void>(sink);
}

void measure_fma(Ceilings& ceilings, int samples, int threads) {
  const auto run = [&](const char* name, int used) {
    const std::int64_t iterations = kFmaIterations * used;
    const double flops = 2.0 * static_cast<double>(iterations * kFmaAccumulators * vector_lanes_f32());
    const auto values = rates(
        flops, samples, [&] { share(iterations, used, [](auto, auto count) { keep(multiply_add_loop(count)); }); });
    ceilings[name] = summarize(
        values, fmt::format("{} fp32 FMA, {} accumulators, {} thread(s)", vector_isa(), kFmaAccumulators, used));
  };
  run("fma_f32_1t_flops_per_s", 1);
  run("fma_f32_flops_per_s", threads);
}

void measure_memory(Ceilings& ceilings, int samples, int threads) {
  // Twice 1 GiB is well past any last-level cache of today; a quarter of what is free leaves room for a run beside us.
  const std::int64_t bytes = std::min(2 * kGiB, available_bytes() / 4) / 128 * 128;
  const std::int64_t count = bytes / static_cast<std::int64_t>(sizeof(float));
  const Buffer memory(Space::host, static_cast<std::size_t>(bytes));
  float* data = memory.as<float>();
  share(count, threads,
        [&](auto first, auto n) { std::fill_n(data + first, n, 1.0f); });  // first touch where it is read

  const auto read = [&](const char* name, int used, std::int64_t floats) {
    const double size = static_cast<double>(floats) * sizeof(float);
    const auto values = rates(
        size, samples, [&] { share(floats, used, [&](auto first, auto n) { keep(read_loop(data + first, n)); }); });
    ceilings[name] =
        summarize(values, fmt::format("{} sum over {:.1f} GiB, {} thread(s)", vector_isa(), size / kGiB, used));
  };
  read("read_1t_bytes_per_s", 1, count / 2);
  read("read_bytes_per_s", threads, count);

  const std::int64_t half = count / 2;
  const auto values = rates(static_cast<double>(bytes), samples, [&] {
    share(half, threads, [&](auto first, auto n) {
      std::memcpy(data + half + first, data + first, static_cast<std::size_t>(n) * sizeof(float));
    });
  });
  ceilings["copy_bytes_per_s"] =
      summarize(values, fmt::format("memcpy of {:.1f} GiB, bytes read plus written, {} thread(s)",
                                    static_cast<double>(bytes) / 2 / kGiB, threads));
}

}  // namespace

Ceilings measure_cpu_ceilings(Effort effort) {
  const int samples = effort == Effort::quick ? 3 : 15;
  const int threads = omp_get_max_threads();
  Ceilings ceilings;
  measure_fma(ceilings, effort == Effort::quick ? 21 : 51, threads);
  measure_memory(ceilings, samples, threads);
  return ceilings;
}

}  // namespace attnscope
