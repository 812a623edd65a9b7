// SPDX-License-Identifier: Apache-2.0
// The null workload: nothing to find. Independent standard normals, so that logits are near N(0, sigma²).
#pragma once

#include "harness/workload/noise.hpp"
#include "harness/workload/workload.hpp"

namespace attnscope {

const Workload& gaussian_workload();

/// Fills rows of one head: element (i, c) is scale · normal(stream, first_position + i, c), rounded to the dtype of
/// `shape`. `offset` is the first element to write.
void fill_gaussian(const Shape& shape, NoiseStream stream, std::int64_t first_position, std::int64_t rows, float scale,
                   void* tensor, std::int64_t offset, int threads);

}  // namespace attnscope
