// SPDX-License-Identifier: Apache-2.0
// Many query rows per KV head: keys are packed once per KV head and shared by all query tiles and the GQA group.
#pragma once

#include <cstddef>

#include "harness/base/attention.hpp"
#include "kernels/core/selection.hpp"

namespace attnscope::attend {

/// Exact per-row bands; Dense is the band whose sink is the whole length.
void prefill(const AttentionInputs& in, const Band& band, const AttentionOutputs& out, void* workspace);
void prefill(const AttentionInputs& in, const BlockList& list, const AttentionOutputs& out, void* workspace);

/// The packed keys of one KV head in fp32, 2 · kv_len · head_dim floats, and a byte per tile.
std::size_t prefill_workspace(const Shape& shape);

}  // namespace attnscope::attend
