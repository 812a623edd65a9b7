// SPDX-License-Identifier: Apache-2.0
// Cases whose attention is known on paper.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/base/half.hpp"
#include "kernels/attend/attend.hpp"

namespace attnscope::attend {
namespace {

// head_dim 1, two query heads over one KV head, logits q · k with q = 1 and k_j = ln w_j, so that key j has weight w_j.
struct OnPaper {
  Shape shape{.q_heads = 2, .head_dim = 1, .q_len = 2, .kv_len = 4, .dtype = Dtype::f32};
  std::vector<float> q{1, 1, 1, 1};
  std::vector<float> k{0.0f, std::log(2.0f), std::log(3.0f), std::log(4.0f)};  // weights 1 2 3 4
  std::vector<float> v{10, 20, 30, 40};
  std::vector<float> o = std::vector<float>(4, NAN), lse = std::vector<float>(4, NAN);

  void run(const Selection& selection) {
    reference({shape, q.data(), k.data(), v.data(), 1.0f}, selection, {o.data(), lse.data()});
  }
};

TEST(Reference, CausalRowsWeighTheirPrefix) {
  OnPaper c;
  c.run(Dense{});
  for (int head = 0; head < 2; ++head) {
    EXPECT_FLOAT_EQ(c.o[2 * head], (10 * 1 + 20 * 2 + 30 * 3) / 6.0f);
    EXPECT_FLOAT_EQ(c.lse[2 * head], std::log(6.0f));
    EXPECT_FLOAT_EQ(c.o[2 * head + 1], (10 * 1 + 20 * 2 + 30 * 3 + 40 * 4) / 10.0f);
    EXPECT_FLOAT_EQ(c.lse[2 * head + 1], std::log(10.0f));
  }
}

TEST(Reference, ScaleMultipliesTheLogits) {
  OnPaper c;
  reference({c.shape, c.q.data(), c.k.data(), c.v.data(), 2.0f}, Dense{}, {c.o.data(), c.lse.data()});
  EXPECT_FLOAT_EQ(c.lse[0], std::log(1.0f + 4.0f + 9.0f));
}

TEST(Reference, RowWithoutKeysIsZeroWithLseMinusInfinity) {
  OnPaper c;
  const std::vector<std::int64_t> begin{0, 0, 1, 1};
  const std::vector<std::int32_t> count{0, 1, 0, 0}, indices{2};
  c.run(TokenList{2, 1, begin, count, indices});
  EXPECT_EQ(c.o[0], 0.0f);
  EXPECT_EQ(c.lse[0], -std::numeric_limits<float>::infinity());
  EXPECT_FLOAT_EQ(c.o[1], 30.0f);
  EXPECT_FLOAT_EQ(c.lse[1], std::log(3.0f));
}

TEST(Reference, HalfInputsAreWidenedAndTheOutputRounded) {
  OnPaper c;
  c.shape.dtype = Dtype::bf16;
  std::vector<std::uint16_t> q(4), k(4), v(4), o(4);
  for (int i = 0; i < 4; ++i) {
    q[i] = float_to_bf16(0.0f);  // every key weighs the same
    k[i] = float_to_bf16(c.k[i]);
    v[i] = float_to_bf16(c.v[i]);
  }
  reference({c.shape, q.data(), k.data(), v.data(), 1.0f}, Dense{}, {o.data(), c.lse.data()});
  EXPECT_EQ(bf16_to_float(o[1]), 25.0f);
  EXPECT_FLOAT_EQ(c.lse[1], std::log(4.0f));
}

TEST(Reference, RefusesWeightedChunks) {
  OnPaper c;
  const std::vector<std::int32_t> indices{0, 0};
  const std::vector<float> weights{0.5f, 0.5f};
  EXPECT_THROW(c.run(ChunkList{4, 1, indices, weights}), Error);
}

}  // namespace
}  // namespace attnscope::attend
