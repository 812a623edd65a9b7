// SPDX-License-Identifier: Apache-2.0
// The GPU ceilings of a build without CUDA: none.
#include "harness/measure/ceilings/ceilings.hpp"

namespace attnscope {

Ceilings measure_gpu_ceilings(Effort) { return {}; }

}  // namespace attnscope
