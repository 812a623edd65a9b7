// SPDX-License-Identifier: Apache-2.0
#include "harness/workload/permutation.hpp"

#include <bit>

namespace attnscope {
namespace {

constexpr std::uint32_t kRounds = 4;  // enough for a pseudo-random permutation (Luby and Rackoff 1988)

}  // namespace

Permutation::Permutation(std::int64_t size, NoiseStream stream)
    : size_(static_cast<std::uint64_t>(size)), half_bits_((std::bit_width(size_ - 1) + 1) / 2), stream_(stream) {}

std::uint64_t Permutation::network(std::uint64_t x) const {
  const std::uint64_t mask = (std::uint64_t{1} << half_bits_) - 1;
  std::uint64_t left = x >> half_bits_, right = x & mask;
  for (std::uint32_t round = 0; round < kRounds; ++round) {
    const std::uint64_t swapped = left ^ (random_bits(stream_, right, round)[0] & mask);
    left = right;
    right = swapped;
  }
  return left << half_bits_ | right;
}

std::int64_t Permutation::operator()(std::int64_t index) const {
  auto x = static_cast<std::uint64_t>(index);
  do x = network(x);
  while (x >= size_);
  return static_cast<std::int64_t>(x);
}

}  // namespace attnscope
