// SPDX-License-Identifier: Apache-2.0
// Every method × phase × GPU backend of this build. Skips where there is no GPU.
#include "harness/device/device_info.hpp"
#include "tests/contract.hpp"

namespace attnscope::test {
namespace {

class Contract : public testing::TestWithParam<Combination> {};

TEST_P(Contract, IsKeptOnAwkwardShapes) {
  if (gpu_list().gpus.empty()) GTEST_SKIP() << gpu_list().reason;
  check_contract(GetParam());
}

INSTANTIATE_TEST_SUITE_P(Gpu, Contract, testing::ValuesIn(combinations(true)), name_of);

}  // namespace
}  // namespace attnscope::test
