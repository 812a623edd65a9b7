// SPDX-License-Identifier: Apache-2.0
// Element types and sizes of safetensors, shared by its reader and its writer.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace attnscope {

/// No tensor may be larger, so that every offset and product fits 64 bits with room to spare.
inline constexpr std::uint64_t kMaxTensorBytes = std::uint64_t{1} << 62;

/// Bytes per element of a dtype as safetensors spells it; nothing when the name is unknown.
std::optional<std::uint64_t> width_of_safetensors(std::string_view dtype);

/// The known names, for messages: "F64, F32, ...".
std::string known_safetensors_dtypes();

/// product(dims) · width; nothing when a partial product exceeds kMaxTensorBytes. `dims` are not negative.
std::optional<std::uint64_t> tensor_bytes(std::span<const std::int64_t> dims, std::uint64_t width);

}  // namespace attnscope
