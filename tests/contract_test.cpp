// SPDX-License-Identifier: Apache-2.0
// Every method × phase × CPU backend of this build.
#include "tests/contract.hpp"

namespace attnscope::test {
namespace {

class Contract : public testing::TestWithParam<Combination> {};

TEST_P(Contract, IsKeptOnAwkwardShapes) { check_contract(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Cpu, Contract, testing::ValuesIn(combinations(false)), name_of);

}  // namespace
}  // namespace attnscope::test
