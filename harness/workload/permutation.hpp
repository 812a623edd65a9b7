// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "harness/workload/noise.hpp"

namespace attnscope {

/// A keyed bijection of [0, size) onto itself with random access and no table: a Feistel network over the next even
/// number of bits, walked along its cycle until it lands inside (Black and Rogaway, CT-RSA 2002).
class Permutation {
 public:
  /// `size` from 1 to 2^40.
  Permutation(std::int64_t size, NoiseStream stream);
  std::int64_t operator()(std::int64_t index) const;

 private:
  std::uint64_t network(std::uint64_t x) const;

  std::uint64_t size_;
  int half_bits_;
  NoiseStream stream_;
};

}  // namespace attnscope
