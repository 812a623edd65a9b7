// SPDX-License-Identifier: Apache-2.0
// Logits, page bounds and page scores against loops in double.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/base/half.hpp"
#include "harness/device/buffer.hpp"
#include "kernels/core/every_target.hpp"
#include "kernels/select/select.hpp"

namespace attnscope::select {
namespace {

class Tensors {
 public:
  explicit Tensors(const Shape& shape) : shape_(shape) {
    fill(q_, shape.q_elements());
    fill(k_, shape.kv_elements());
  }
  AttentionInputs inputs() const { return {shape_, q_.data(), k_.data(), nullptr, default_scale(shape_)}; }
  double q(std::int64_t row, std::int64_t c) const {
    return load_element(q_.data(), shape_.dtype, row * shape_.head_dim + c);
  }
  double k(std::int64_t row, std::int64_t c) const {
    return load_element(k_.data(), shape_.dtype, row * shape_.head_dim + c);
  }

 private:
  void fill(Buffer& tensor, std::int64_t elements) {
    tensor = Buffer(Space::host, static_cast<std::size_t>(elements * size_of(shape_.dtype)));
    std::normal_distribution<float> normal;
    for (std::int64_t i = 0; i < elements; ++i) store_element(tensor.data(), shape_.dtype, i, normal(random_));
  }
  Shape shape_;
  std::mt19937 random_{7};
  Buffer q_, k_;
};

// Rounding error of a dot product of n terms in any order, from the sum of their magnitudes (u = 2^-24, 2 for scaling).
double dot_error(double magnitudes, std::int64_t n) { return 0x1p-24 * static_cast<double>(n + 2) * magnitudes; }

void expect_logits(const Shape& shape, const Tensors& tensors, QueryRange range) {
  const std::int64_t rows = shape.batch * shape.q_heads * range.count, stride = shape.kv_len;
  Buffer data(Space::host, static_cast<std::size_t>(rows * stride) * 4),
      length(Space::host, static_cast<std::size_t>(rows) * 4);
  data.poison();
  cpu::logits(tensors.inputs(), range, {data.as<float>(), rows, stride, length.as<std::int32_t>()},
              length.as<std::int32_t>());
  ASSERT_TRUE(data.guards_intact() && length.guards_intact());
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::int64_t i = range.first + r % range.count, head = r / range.count;
    ASSERT_EQ(length.as<std::int32_t>()[r], shape.visible(i));
    for (std::int64_t key = 0; key < stride; ++key) {
      const float found = data.as<float>()[r * stride + key];
      if (key >= shape.visible(i)) {
        ASSERT_TRUE(std::isnan(found)) << "key " << key << " is hidden from row " << r;
        continue;
      }
      double dot = 0, magnitudes = 0;
      for (std::int64_t c = 0; c < shape.head_dim; ++c) {
        const double term = tensors.q(head * shape.q_len + i, c) *
                            tensors.k(head / shape.group() * shape.kv_len + key, c) * default_scale(shape);
        dot += term;
        magnitudes += std::abs(term);
      }
      ASSERT_NEAR(found, dot, dot_error(magnitudes, shape.head_dim)) << "row " << r << " key " << key;
    }
  }
}

void expect_page_bounds_and_scores(const Shape& shape, const Tensors& tensors, std::int64_t page) {
  const std::int64_t pages = (shape.kv_len + page - 1) / page, d = shape.head_dim,
                     kv_rows = shape.batch * shape.kv_heads;
  Buffer bounds(Space::host, static_cast<std::size_t>(kv_rows * pages * 2 * d * size_of(shape.dtype)));
  Buffer scores(Space::host, static_cast<std::size_t>(shape.rows() * pages) * 4);
  bounds.poison();
  scores.poison();
  const PageBounds page_bounds{bounds.data(), page, pages};
  cpu::page_bounds(tensors.inputs(), page_bounds);
  cpu::page_scores(tensors.inputs(), page_bounds, {scores.as<float>(), shape.rows(), pages, nullptr});
  ASSERT_TRUE(bounds.guards_intact() && scores.guards_intact());

  const auto bound = [&](std::int64_t head, std::int64_t n, std::int64_t which, std::int64_t c) {
    return static_cast<double>(load_element(bounds.data(), shape.dtype, ((head * pages + n) * 2 + which) * d + c));
  };
  for (std::int64_t head = 0; head < kv_rows; ++head)
    for (std::int64_t n = 0; n < pages; ++n)
      for (std::int64_t c = 0; c < d; ++c) {
        double low = INFINITY, high = -INFINITY;
        for (std::int64_t key = n * page; key < std::min((n + 1) * page, shape.kv_len); ++key) {
          low = std::min(low, tensors.k(head * shape.kv_len + key, c));
          high = std::max(high, tensors.k(head * shape.kv_len + key, c));
        }
        ASSERT_EQ(bound(head, n, 0, c), low);
        ASSERT_EQ(bound(head, n, 1, c), high);
      }
  for (std::int64_t row = 0; row < shape.rows(); ++row)
    for (std::int64_t n = 0; n < pages; ++n) {
      double sum = 0, magnitudes = 0;
      for (std::int64_t c = 0; c < d; ++c) {
        const std::int64_t head = row / shape.q_len / shape.group();
        const double term =
            std::max(tensors.q(row, c) * bound(head, n, 0, c), tensors.q(row, c) * bound(head, n, 1, c));
        sum += term;
        magnitudes += std::abs(term);
      }
      ASSERT_NEAR(scores.as<float>()[row * pages + n], sum, dot_error(magnitudes, 2 * d))
          << "row " << row << " page " << n;
    }
}

class ScoresOf : public testing::TestWithParam<Dtype> {
 protected:
  std::vector<Shape> shapes() const {
    std::vector<Shape> all{
        {.q_heads = 1, .head_dim = 32, .q_len = 1, .kv_len = 1},
        {.batch = 2, .q_heads = 6, .kv_heads = 2, .head_dim = 64, .q_len = 30, .kv_len = 301},
        {.q_heads = 40, .kv_heads = 2, .head_dim = 128, .q_len = 1, .kv_len = 519},
        {.q_heads = 2, .kv_heads = 1, .head_dim = 64, .q_len = 9, .kv_len = 258, .causal = false},
    };
    for (Shape& shape : all) shape.dtype = GetParam();
    return all;
  }
};

TEST_P(ScoresOf, LogitsOfEveryQueryRange) {
  for (const Shape& shape : shapes()) {
    const Tensors tensors(shape);
    for (const QueryRange range : {QueryRange{0, shape.q_len}, QueryRange{shape.q_len - 1, 1},
                                   QueryRange{shape.q_len / 3, (shape.q_len + 2) / 3}})
      on_every_target([&] { expect_logits(shape, tensors, range); });
  }
}

TEST_P(ScoresOf, PageBoundsAreExactAndPageScoresAreTheirUpperBound) {
  for (const Shape& shape : shapes()) {
    const Tensors tensors(shape);
    for (const std::int64_t page : {16, 5, 1000})
      on_every_target([&] { expect_page_bounds_and_scores(shape, tensors, page); });
  }
}

INSTANTIATE_TEST_SUITE_P(Dtypes, ScoresOf, testing::Values(Dtype::f32, Dtype::f16, Dtype::bf16),
                         [](const auto& dtype) { return std::string(to_string(dtype.param)); });

TEST(Logits, RefuseAHeadDimTheyHaveNoKernelFor) {
  std::int32_t length = 0;
  EXPECT_THROW(cpu::logits({{.head_dim = 40}, nullptr, nullptr, nullptr, 1.0f}, {}, {}, &length), Error);
}

}  // namespace
}  // namespace attnscope::select
