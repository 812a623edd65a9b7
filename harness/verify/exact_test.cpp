// SPDX-License-Identifier: Apache-2.0
#include "harness/verify/exact.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>

#include "harness/base/half.hpp"

namespace attnscope {
namespace {

/// Random tensors of any shape and dtype.
struct Tensors {
  Shape shape;
  std::vector<std::byte> q, k, v;

  explicit Tensors(const Shape& s) : shape(s) {
    std::mt19937 random(7);
    std::normal_distribution<float> normal;
    const auto fill = [&](std::vector<std::byte>& bytes, std::int64_t count) {
      bytes.resize(count * size_of(shape.dtype));
      for (std::int64_t i = 0; i < count; ++i) store_element(bytes.data(), shape.dtype, i, normal(random));
    };
    fill(q, shape.q_elements()), fill(k, shape.kv_elements()), fill(v, shape.kv_elements());
  }
  AttentionInputs inputs() const { return {shape, q.data(), k.data(), v.data(), default_scale(shape)}; }
};

struct Plain {
  std::vector<double> o;
  double lse;
};

/// The formula as written: no tiles, no vectors.
Plain plain_attention(const Tensors& t, const Row& row, std::span<const std::int32_t> keys) {
  const Shape& s = t.shape;
  const std::int64_t q0 = ((row.batch * s.q_heads + row.head) * s.q_len + row.query) * s.head_dim;
  const std::int64_t kv0 = (row.batch * s.kv_heads + row.head / s.group()) * s.kv_len * s.head_dim;
  Plain result{std::vector<double>(s.head_dim), 0};
  double sum = 0;
  for (const std::int32_t j : keys) {
    double logit = 0;
    for (std::int64_t c = 0; c < s.head_dim; ++c)
      logit += static_cast<double>(load_element(t.q.data(), s.dtype, q0 + c)) *
               load_element(t.k.data(), s.dtype, kv0 + j * s.head_dim + c);
    const double p = std::exp(default_scale(s) * logit);
    sum += p;
    for (std::int64_t c = 0; c < s.head_dim; ++c)
      result.o[c] += p * load_element(t.v.data(), s.dtype, kv0 + j * s.head_dim + c);
  }
  for (double& o : result.o) o /= sum;
  result.lse = std::log(sum);
  return result;
}

TEST(Exact, AgreesWithTheFormulaOnAwkwardShapesAndEveryDtype) {
  const Shape shapes[] = {{1, 1, 1, 1, 1, 1, true, Dtype::f32},      {1, 4, 2, 32, 17, 33, true, Dtype::bf16},
                          {2, 6, 3, 20, 5, 40001, true, Dtype::f16}, {1, 2, 1, 128, 3, 3, false, Dtype::f32},
                          {1, 8, 1, 64, 70, 70, true, Dtype::f16},   {3, 1, 1, 7, 1, 100, false, Dtype::bf16}};
  for (const Shape& shape : shapes) {
    const Tensors tensors(shape);
    std::vector<Row> rows;
    for (std::int64_t h = shape.q_heads - 1; h >= 0; --h)
      for (const std::int64_t i : {shape.q_len - 1, shape.q_len / 2}) rows.push_back({shape.batch - 1, h, i});
    const AttentionRows exact = exact_attention(tensors.inputs(), rows, 2);
    for (std::size_t r = 0; r < rows.size(); ++r) {
      std::vector<std::int32_t> keys(shape.visible(rows[r].query));
      std::iota(keys.begin(), keys.end(), 0);
      const Plain plain = plain_attention(tensors, rows[r], keys);
      EXPECT_NEAR(exact.lse[r], plain.lse, 1e-12);
      for (std::int64_t c = 0; c < shape.head_dim; ++c) EXPECT_NEAR(exact.output(r)[c], plain.o[c], 1e-12);
    }
  }
}

TEST(Exact, DoesNotDependOnTheNumberOfThreads) {
  const Tensors tensors({1, 2, 1, 64, 3, 50000, true, Dtype::bf16});
  const std::vector<Row> rows{{0, 0, 0}, {0, 1, 2}};
  const AttentionRows one = exact_attention(tensors.inputs(), rows, 1);
  const AttentionRows many = exact_attention(tensors.inputs(), rows, 5);
  EXPECT_EQ(one.o, many.o);
  EXPECT_EQ(one.lse, many.lse);
}

TEST(Exact, AttentionOverAListTakesExactlyThatList) {
  const Tensors tensors({1, 2, 2, 32, 2, 41, true, Dtype::bf16});
  const Row row{0, 1, 1};
  const std::vector<std::int32_t> keys{0, 3, 4, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 40};
  const AttentionRows result = attention_over(tensors.inputs(), row, keys, 2);
  const Plain plain = plain_attention(tensors, row, keys);
  EXPECT_NEAR(result.lse[0], plain.lse, 1e-13);
  for (std::int64_t c = 0; c < 32; ++c) EXPECT_NEAR(result.o[c], plain.o[c], 1e-13);
  EXPECT_EQ(result.scale[0].keys, 17);
}

TEST(Exact, ARowWithoutKeysIsZeroWithMinusInfinity) {
  const Tensors tensors({1, 1, 1, 32, 1, 5, true, Dtype::bf16});
  const AttentionRows result = attention_over(tensors.inputs(), {0, 0, 0}, {}, 1);
  EXPECT_EQ(result.lse[0], -std::numeric_limits<double>::infinity());
  for (const double o : result.o) EXPECT_EQ(o, 0);
}

TEST(Exact, WeightsOfAllKeysSumToOne) {
  const Tensors tensors({1, 2, 1, 32, 4, 37, true, Dtype::f16});
  const Row row{0, 1, 2};
  const double lse = exact_attention(tensors.inputs(), {&row, 1}, 1).lse[0];
  double sum = 0;
  for (std::int64_t j = 0; j < tensors.shape.visible(2); ++j) sum += softmax_weight(tensors.inputs(), row, lse, j);
  EXPECT_NEAR(sum, 1, 1e-13);
}

TEST(Exact, ScaleOfASingleKeyIsItsNorms) {
  Tensors tensors({1, 1, 1, 2, 1, 1, true, Dtype::f32});
  const float q[] = {3, 4}, k[] = {-2, 0}, v[] = {1, 2};
  const AttentionInputs inputs{tensors.shape, q, k, v, 0.5f};
  const Row row{};
  const RowScale scale = exact_attention(inputs, {&row, 1}, 1).scale[0];
  EXPECT_DOUBLE_EQ(scale.max_logit, -3);
  EXPECT_DOUBLE_EQ(scale.max_abs_logit, 3);
  EXPECT_DOUBLE_EQ(scale.q_norm, 2.5);
  EXPECT_DOUBLE_EQ(scale.max_k_norm, 2);
  EXPECT_DOUBLE_EQ(scale.p2v2, 5);
  EXPECT_DOUBLE_EQ(scale.v2, 5);
}

}  // namespace
}  // namespace attnscope
