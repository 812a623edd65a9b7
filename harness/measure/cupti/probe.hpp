// SPDX-License-Identifier: Apache-2.0
// Which measuring tier this machine allows.
#pragma once

#include "harness/measure/cupti/profiler.hpp"

namespace attnscope {

/// The profile of a small matrix product on the current GPU: `reached`, and in `reason` what is missing and why.
/// T0 on a machine without a GPU. Loads CUPTI: not for a process that times.
Profile probe_tiers();

}  // namespace attnscope
