// SPDX-License-Identifier: Apache-2.0
// The inner loops of the CPU ceilings, in the widest instruction set of the machine that runs them.
#pragma once

#include <cstdint>
#include <string>

namespace attnscope {

/// Name of the instruction set in use, e.g. "AVX2", and its width in 32-bit lanes.
std::string vector_isa();
std::int64_t vector_lanes_f32();

/// Runs `iterations` × kFmaAccumulators independent fp32 vector multiply-adds; returns a value that depends on all.
inline constexpr int kFmaAccumulators = 12;
float multiply_add_loop(std::int64_t iterations);

/// Reads `count` floats once; returns a value that depends on all.
float read_loop(const float* data, std::int64_t count);

}  // namespace attnscope
