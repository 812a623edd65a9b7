// SPDX-License-Identifier: Apache-2.0
#include "harness/workload/permutation.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace attnscope {
namespace {

TEST(Permutation, IsABijectionForAnySize) {
  for (std::int64_t size = 1; size <= 300; ++size) {
    const Permutation permutation(size, {static_cast<std::uint64_t>(size)});
    std::vector<bool> hit(static_cast<std::size_t>(size));
    for (std::int64_t i = 0; i < size; ++i) {
      const std::int64_t image = permutation(i);
      ASSERT_GE(image, 0) << size;
      ASSERT_LT(image, size) << size;
      ASSERT_FALSE(hit[static_cast<std::size_t>(image)]) << size << ": " << image << " twice";
      hit[static_cast<std::size_t>(image)] = true;
    }
  }
}

TEST(Permutation, DependsOnTheSeedAndMixes) {
  constexpr std::int64_t kSize = 1000;
  const Permutation a(kSize, {1}), b(kSize, {2});
  int same = 0, fixed = 0;
  for (std::int64_t i = 0; i < kSize; ++i) {
    same += a(i) == b(i);
    fixed += a(i) == i;
  }
  EXPECT_LT(same, 10);  // one is expected, Poisson
  EXPECT_LT(fixed, 10);
}

}  // namespace
}  // namespace attnscope
