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

TEST(Reference, LogWeightsMultiplyTheWeights) {
  OnPaper c;
  const std::vector<std::int64_t> begin{0, 0, 1, 0};
  const std::vector<std::int32_t> count{0, 1, 0, 2}, indices{1, 2};
  const std::vector<float> log_weight{std::log(5.0f), std::log(7.0f)};
  c.run(TokenList{2, 1, begin, count, indices, log_weight});
  EXPECT_FLOAT_EQ(c.o[1], 20.0f);
  EXPECT_FLOAT_EQ(c.lse[1], std::log(2 * 5.0f));
  EXPECT_EQ(c.o[2], 0.0f);
  EXPECT_FLOAT_EQ(c.o[3], (20 * 2 * 5 + 30 * 3 * 7) / 31.0f);
  EXPECT_FLOAT_EQ(c.lse[3], std::log(31.0f));
  EXPECT_THROW(c.run(TokenList{2, 2, begin, count, indices, log_weight}), InputError);
}

TEST(Reference, PagesAreFoundThroughTheirTable) {
  OnPaper c;
  c.shape.cache_page = 2;
  // Keys 0 1 lie in page 2, keys 2 3 in page 0.
  const std::vector<float> k{c.k[2], c.k[3], NAN, NAN, c.k[0], c.k[1]}, v{30, 40, NAN, NAN, 10, 20};
  const std::vector<std::int32_t> table{2, 0};
  reference({c.shape, c.q.data(), k.data(), v.data(), 1.0f, table.data()}, Dense{}, {c.o.data(), c.lse.data()});
  EXPECT_FLOAT_EQ(c.o[0], (10 * 1 + 20 * 2 + 30 * 3) / 6.0f);
  EXPECT_FLOAT_EQ(c.o[1], (10 * 1 + 20 * 2 + 30 * 3 + 40 * 4) / 10.0f);
}

TEST(Reference, PartsAreMergedByTheirWeights) {
  const Shape shape{.head_dim = 2, .q_len = 2, .kv_len = 2, .dtype = Dtype::f32};
  const float none = -std::numeric_limits<float>::infinity();
  std::vector<float> o[3] = {{10, 1, NAN, NAN}, {40, 4, NAN, NAN}, {NAN, NAN, NAN, NAN}}, merged(4, NAN);
  std::vector<float> lse[3] = {{std::log(1.0f), none}, {std::log(3.0f), none}, {none, none}}, merged_lse(2, NAN);
  std::vector<AttentionOutputs> parts;
  for (int p = 0; p < 3; ++p) parts.push_back({o[p].data(), lse[p].data(), true});
  reference_merge(shape, parts, {merged.data(), merged_lse.data()});
  EXPECT_FLOAT_EQ(merged[0], (10 * 1 + 40 * 3) / 4.0f);
  EXPECT_FLOAT_EQ(merged[1], (1 * 1 + 4 * 3) / 4.0f);
  EXPECT_FLOAT_EQ(merged_lse[0], std::log(4.0f));
  EXPECT_EQ(merged[2], 0.0f);
  EXPECT_EQ(merged_lse[1], none);
  parts[1].partial = false;
  EXPECT_THROW(reference_merge(shape, parts, {merged.data(), merged_lse.data()}), InputError);
}

TEST(Reference, PartialResultsAreFloat) {
  OnPaper c;
  c.shape.dtype = Dtype::bf16;
  const std::vector<std::uint16_t> zero(4, 0);
  const std::vector<std::uint16_t> v{float_to_bf16(1), float_to_bf16(1), float_to_bf16(2), float_to_bf16(1)};
  reference({c.shape, zero.data(), zero.data(), v.data(), 1.0f}, Dense{}, {c.o.data(), c.lse.data(), true});
  EXPECT_FLOAT_EQ(c.o[0], 4.0f / 3.0f);
}

TEST(Reference, RefusesWeightedChunks) {
  OnPaper c;
  const std::vector<std::int32_t> indices{0, 0};
  const std::vector<float> weights{0.5f, 0.5f};
  EXPECT_THROW(c.run(ChunkList{4, 1, indices, weights}), Error);
}

}  // namespace
}  // namespace attnscope::attend
