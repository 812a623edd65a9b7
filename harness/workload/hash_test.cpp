// SPDX-License-Identifier: Apache-2.0
#include "harness/workload/hash.hpp"

#include <gtest/gtest.h>

#include <array>
#include <numeric>
#include <string>
#include <vector>

#include "harness/workload/workload.hpp"

namespace attnscope {
namespace {

// Expected values by the Python package xxhash, one for each path through the tail: 0, 1, 3, 16 and 101 bytes.
TEST(Xxh64, EqualsTheReferenceImplementation) {
  struct Case {
    std::string text;
    std::uint64_t hash;
    std::uint64_t hash_seed_7;
  };
  std::string counting(101, '\0');
  std::iota(counting.begin(), counting.end(), '\0');
  const std::array<Case, 5> cases{{{"", 0xef46db3751d8e999, 0x95f0626f6f0a4409},
                                   {"a", 0xd24ec4f1a98c6e5b, 0xdc6349d489e0f965},
                                   {"abc", 0x44bc2cf5ad770999, 0x9e755206156676d7},
                                   {"0123456789abcdef", 0x5c5b90c34e376d0b, 0x8fbf8acb214d5da5},
                                   {counting, 0xe99038495f85381e, 0xe878e9791dbc64fa}}};
  for (const auto& [text, hash, hash_seed_7] : cases) {
    EXPECT_EQ(xxh64(std::as_bytes(std::span{text})), hash) << text;
    EXPECT_EQ(xxh64(std::as_bytes(std::span{text}), 7), hash_seed_7) << text;
  }
}

Problem small_problem() {
  Problem problem;
  problem.shape = {.q_heads = 2, .kv_heads = 1, .head_dim = 8, .q_len = 3, .kv_len = 4};
  problem.q = Buffer(Space::host, 2 * 3 * 8 * 2);
  problem.k = Buffer(Space::host, 4 * 8 * 2);
  problem.v = Buffer(Space::host, 4 * 8 * 2);
  for (Buffer* buffer : {&problem.q, &problem.k, &problem.v}) buffer->zero();
  return problem;
}

TEST(ProblemHash, TellsTensorsApartByEveryByteAndByShape) {
  const std::string original = small_problem().hash();
  EXPECT_EQ(original.size(), 16u);
  EXPECT_EQ(small_problem().hash(), original);

  for (const auto tensor : {&Problem::q, &Problem::k, &Problem::v}) {
    Problem changed = small_problem();
    Buffer& buffer = changed.*tensor;
    buffer.as<unsigned char>()[buffer.bytes() - 1] = 1;
    EXPECT_NE(changed.hash(), original);
  }
  Problem f16 = small_problem();
  f16.shape.dtype = Dtype::f16;
  EXPECT_NE(f16.hash(), original);
  Problem folded = small_problem();  // the same number of elements
  folded.shape.q_heads = 3;
  folded.shape.q_len = 2;
  EXPECT_NE(folded.hash(), original);
}

TEST(ProblemHash, CountsEarlierQueriesWhereThereAreSome) {
  Problem with = small_problem();
  with.shape.history = 1;
  with.past_q = Buffer(Space::host, 2 * 1 * 8 * 2);
  with.past_q.zero();
  const std::string zeros = with.hash();
  EXPECT_NE(zeros, small_problem().hash());
  with.past_q.as<unsigned char>()[31] = 1;
  EXPECT_NE(with.hash(), zeros);
}

TEST(ProblemHash, IgnoresMaskAndPages) {
  Problem other = small_problem();
  other.shape.causal = false;
  other.shape.cache_page = 2;
  EXPECT_EQ(other.hash(), small_problem().hash());
}

}  // namespace
}  // namespace attnscope
