// SPDX-License-Identifier: Apache-2.0
#include "harness/workload/safetensors_dtype.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/workload/safetensors.hpp"

namespace attnscope {
namespace {

constexpr std::array<std::pair<std::string_view, std::uint64_t>, 15> kWidths{{{"F64", 8},
                                                                              {"F32", 4},
                                                                              {"F16", 2},
                                                                              {"BF16", 2},
                                                                              {"F8_E4M3", 1},
                                                                              {"F8_E5M2", 1},
                                                                              {"I64", 8},
                                                                              {"I32", 4},
                                                                              {"I16", 2},
                                                                              {"I8", 1},
                                                                              {"U64", 8},
                                                                              {"U32", 4},
                                                                              {"U16", 2},
                                                                              {"U8", 1},
                                                                              {"BOOL", 1}}};

constexpr std::array<std::pair<Dtype, std::string_view>, 3> kProblemDtypes{
    {{Dtype::f32, "F32"}, {Dtype::f16, "F16"}, {Dtype::bf16, "BF16"}}};

}  // namespace

std::optional<std::uint64_t> width_of_safetensors(std::string_view dtype) {
  const auto* const found = std::ranges::find(kWidths, dtype, [](const auto& entry) { return entry.first; });
  if (found == kWidths.end()) return std::nullopt;
  return found->second;
}

std::string known_safetensors_dtypes() {
  std::string names;
  for (const auto& [name, width] : kWidths) {
    names += names.empty() ? "" : ", ";
    names += name;
  }
  return names;
}

std::optional<std::uint64_t> tensor_bytes(std::span<const std::int64_t> dims, std::uint64_t width) {
  std::uint64_t bytes = width;
  for (const std::int64_t dim : dims) {
    const auto extent = static_cast<std::uint64_t>(dim);
    if (extent != 0 && bytes > kMaxTensorBytes / extent) return std::nullopt;
    bytes *= extent;
  }
  return bytes;
}

std::string_view safetensors_dtype(Dtype dtype) {
  for (const auto& [value, name] : kProblemDtypes)
    if (value == dtype) return name;
  throw Error("dtype without a safetensors name");
}

std::optional<Dtype> dtype_of_safetensors(std::string_view dtype) {
  for (const auto& [value, name] : kProblemDtypes)
    if (name == dtype) return value;
  return std::nullopt;
}

}  // namespace attnscope
