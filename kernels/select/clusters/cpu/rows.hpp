// SPDX-License-Identifier: Apache-2.0
// The SIMD loops of k-means on the CPU, over points that a list or a range names.
#pragma once

#include <cstdint>

#include "kernels/select/clusters/k_means.hpp"

namespace attnscope::select {

/// assignment[i] for the points [begin, end) of `group`: the best of the clusters [first, first + count).
void assign_rows(const Points& points, std::int64_t group, KeyRange range, std::int64_t first, std::int64_t count,
                 std::int64_t clusters, const KMeansState& state);

/// sum[dim] = Σ of `count` points of `group`: members[0 .. count), or begin .. begin + count where members is null.
void sum_rows(const Points& points, std::int64_t group, const std::int32_t* members, std::int64_t begin,
              std::int64_t count, float* sum);

}  // namespace attnscope::select
