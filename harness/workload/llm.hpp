// SPDX-License-Identifier: Apache-2.0
// Heads of named kinds with the attention statistics of long-context language models: sinks, local decay, slashes,
// heavy tokens, retrieval, diffuse content. Construction, targets and measured values: README.md.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/workload/llm_kinds.hpp"
#include "harness/workload/workload.hpp"

namespace attnscope {

const Workload& llm_workload();

namespace llm {

/// What was planted, for tests and analyses: the kind of every query head and, per [batch, kv_head], the heavy tokens
/// in order of position and the needle's tokens.
struct Planted {
  std::vector<Kind> kinds;
  std::vector<std::vector<std::int64_t>> heavy;
  std::vector<std::vector<std::int64_t>> needle;
};

/// For the same arguments as Workload::make.
Planted planted(const Shape& shape, const Params& params, std::uint64_t seed);

}  // namespace llm
}  // namespace attnscope
