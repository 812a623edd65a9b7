// SPDX-License-Identifier: Apache-2.0
#include "harness/workload/finite.hpp"

#include <algorithm>
#include <span>

namespace attnscope {
namespace {

// IEEE formats keep NaN and infinity at the all-ones exponent: one integer comparison tells, and vectorises.
template <typename Bits>
std::optional<std::int64_t> first_with_exponent(std::span<const Bits> values, Bits exponent) {
  constexpr std::size_t kBlock =
      4096;  // elements between two looks at the answer, which keep the inner loop branch-free
  const auto not_finite = [exponent](Bits bits) { return (bits & exponent) == exponent; };
  for (std::size_t begin = 0; begin < values.size(); begin += kBlock) {
    const auto block = values.subspan(begin, std::min(kBlock, values.size() - begin));
    Bits found = 0;
    for (const Bits bits : block) found |= static_cast<Bits>(not_finite(bits));
    if (found == 0) continue;
    const auto at = std::ranges::find_if(block, not_finite) - block.begin();
    return static_cast<std::int64_t>(begin) + at;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::int64_t> first_not_finite(const void* data, Dtype dtype, std::int64_t elements) {
  const auto count = static_cast<std::size_t>(elements);
  if (dtype == Dtype::f32)
    return first_with_exponent<std::uint32_t>({static_cast<const std::uint32_t*>(data), count}, 0x7f800000u);
  const std::uint16_t exponent = dtype == Dtype::bf16 ? 0x7f80u : 0x7c00u;
  return first_with_exponent<std::uint16_t>({static_cast<const std::uint16_t*>(data), count}, exponent);
}

}  // namespace attnscope
