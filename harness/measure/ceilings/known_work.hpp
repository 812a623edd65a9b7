// SPDX-License-Identifier: Apache-2.0
// GPU kernels whose work is known exactly: what ceilings are measured with and counters are calibrated against.
// Pointers are device pointers, `stream` is a cudaStream_t; everything is only enqueued. Only for builds with CUDA.
#pragma once

#include <cstdint>

namespace attnscope {

/// Fills `count` bf16 values with uniform noise in [−1, 1), a function of the index: power and clocks depend on data.
void fill_noise_bf16(std::uint16_t* data, std::int64_t count, void* stream);

/// How a memory kernel keeps the memory busy: resident blocks of 256 threads per SM, and 16-byte loads that each thread
/// issues before it uses the first (2, 4, 8 or 16). Which is fastest depends on the GPU.
struct StreamShape {
  int blocks_per_sm = 8;
  int loads_in_flight = 4;
};

/// Reads `bytes` (a multiple of 16) `repeats` times through L2, past L1. `sink` is written only if the data hashes to
/// one certain value: it keeps the loads alive.
void read_memory(const void* source, std::int64_t bytes, int repeats, std::uint32_t* sink, void* stream,
                 StreamShape shape = {});

/// Reads `bytes` (a multiple of 16) and writes them.
void copy_memory(void* target, const void* source, std::int64_t bytes, void* stream, StreamShape shape = {});

/// c [m,n] = a [m,k] · b [n,k]ᵀ with mma.sync; m a multiple of 16, n of 64, k of 16. Work: 2·m·n·k FLOPs.
void matmul_bf16(const std::uint16_t* a, const std::uint16_t* b, float* c, int m, int n, int k, void* stream);

/// Every thread runs `iterations` × kFmaChains multiply-adds on its value of `data` and stores the results there.
/// `data` holds threads · kFmaChains values. Work: 2 FLOPs per multiply-add; packed half does two of them at once.
inline constexpr int kFmaChains = 8;
void multiply_add_f32(float* data, int threads, int iterations, void* stream);
void multiply_add_half2(void* data, int threads, int iterations, void* stream);

/// Does nothing: one block of one warp.
void launch_nothing(void* stream);

}  // namespace attnscope
