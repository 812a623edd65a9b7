// SPDX-License-Identifier: Apache-2.0
// Identity of inputs: equal hashes, equal bytes. A checksum against mistakes, not against malice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "harness/base/attention.hpp"

namespace attnscope {

/// XXH64 of `bytes`, as `xxhsum -H64` prints it when `seed` is 0.
std::uint64_t xxh64(std::span<const std::byte> bytes, std::uint64_t seed = 0);

/// 16 hex digits over q, k, v and past_q in host memory, their dtype and the shape; mask and cache_page excluded: the
/// inputs are the same tensors whatever the mask and wherever a backend keeps them. Each part's hash seeds the next:
/// text of dtype and dimensions, q, k, v, and past_q where there is one.
std::string hash_inputs(const AttentionInputs& host);

}  // namespace attnscope
