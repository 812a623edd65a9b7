// SPDX-License-Identifier: Apache-2.0
// Which instruction sets the CPU engines are compiled for: AVX2, AVX-512 and NEON, and scalar code for anything older.
// Include it before any Highway header.
#pragma once

// Left out: x86 without FMA, and vectors without a compile-time length, which cannot be array elements.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)

// Highway's emulated vectors: their MaxOfLanes of -inf alone is the lowest finite float (1.0.3). Scalar code instead.
#define HWY_BROKEN_EMU128 1
