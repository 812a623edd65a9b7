// SPDX-License-Identifier: Apache-2.0
// For tests: runs something once on every instruction set that this machine and build have.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>

// What Highway may dispatch to is decided before its headers.
// clang-format off
#include "kernels/core/simd_targets.hpp"
#include <hwy/targets.h>
// clang-format on

namespace attnscope {

template <typename F>
void on_every_target(F f) {
  for (std::int64_t left = hwy::SupportedTargets() & HWY_TARGETS; left != 0; left &= left - 1) {
    SCOPED_TRACE(hwy::TargetName(left & -left));
    hwy::SetSupportedTargetsForTest(left & -left);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    f();
    hwy::SetSupportedTargetsForTest(0);
  }
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace attnscope
