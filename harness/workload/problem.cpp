// SPDX-License-Identifier: Apache-2.0
#include "harness/workload/hash.hpp"
#include "harness/workload/workload.hpp"

namespace attnscope {

AttentionInputs Problem::inputs() const {
  return {.shape = shape,
          .q = q.data(),
          .k = k.data(),
          .v = v.data(),
          .scale = default_scale(shape),
          .past_q = past_q.data()};
}

std::string Problem::hash() const { return hash_inputs(inputs()); }

}  // namespace attnscope
