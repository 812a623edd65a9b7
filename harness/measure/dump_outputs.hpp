// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "harness/verify/compare.hpp"

namespace attnscope {

/// Writes a call for an independent implementation to check: q, k, v, past_q where there are earlier queries,
/// o, lse [B, Hq, Nq]; mask U8 [B, Hq, Nq, Nkv], 1
/// where the pair was attended, while q_len · kv_len ≤ 2^24; and the method's own tensors as side.<name>.
void dump_outputs(const std::string& path, const CompletedCall& call);

}  // namespace attnscope
