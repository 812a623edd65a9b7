// SPDX-License-Identifier: Apache-2.0
// How far a correct kernel may be from double arithmetic, derived from what it must round.
#pragma once

#include "harness/base/shape.hpp"
#include "harness/verify/exact.hpp"

namespace attnscope {

struct RowTolerance {
  double o = 0;    // of ‖o − o_reference‖₂
  double lse = 0;  // of |lse − lse_reference|
};

/// The derivation stands in tolerance.cpp. `o_norm` and `lse` are the reference's.
RowTolerance row_tolerance(Dtype dtype, std::int64_t head_dim, const RowScale& scale, double o_norm, double lse);

}  // namespace attnscope
