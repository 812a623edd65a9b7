// SPDX-License-Identifier: Apache-2.0
// The CPU engine against the reference: every form, dtype, head_dim and instruction set, on awkward shapes.
#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/base/half.hpp"
#include "harness/device/buffer.hpp"
#include "kernels/attend/attend.hpp"
#include "kernels/core/every_target.hpp"

namespace attnscope::attend {
namespace {

// Normal q, k, v for one shape, and outputs of both engines.
class Problem {
 public:
  explicit Problem(const Shape& shape, unsigned seed = 1) : shape_(shape), random_(seed) {
    fill(q_, shape.q_elements());
    fill(k_, shape.kv_elements());
    fill(v_, shape.kv_elements());
    for (Buffer* o : {&expected_o_, &o_}) *o = Buffer(Space::host, bytes(shape.q_elements()));
    for (Buffer* lse : {&expected_lse_, &lse_}) *lse = Buffer(Space::host, static_cast<std::size_t>(shape.rows()) * 4);
  }

  AttentionInputs inputs() const { return {shape_, q_.data(), k_.data(), v_.data(), default_scale(shape_)}; }

  void run(const Selection& selection) {
    Buffer workspace(Space::host, cpu_workspace(shape_, selection));
    for (Buffer* buffer : {&o_, &lse_, &workspace}) buffer->poison();
    cpu(inputs(), selection, {o_.data(), lse_.as<float>()}, workspace.data());
    EXPECT_TRUE(o_.guards_intact() && lse_.guards_intact() && workspace.guards_intact());
  }

  void expect_matches_reference(const Selection& selection) {
    reference(inputs(), selection, {expected_o_.data(), expected_lse_.as<float>()});
    on_every_target([&] {
      run(selection);
      compare();
    });
  }

  std::vector<std::byte> output() const {
    const auto* at = o_.as<std::byte>();
    return {at, at + o_.bytes()};
  }

 private:
  std::size_t bytes(std::int64_t elements) const { return static_cast<std::size_t>(elements * size_of(shape_.dtype)); }

  void fill(Buffer& tensor, std::int64_t elements) {
    tensor = Buffer(Space::host, bytes(elements));
    std::normal_distribution<float> normal;
    for (std::int64_t i = 0; i < elements; ++i) store_element(tensor.data(), shape_.dtype, i, normal(random_));
  }

  double largest(const Buffer& tensor, std::int64_t elements) const {
    double out = 0;
    for (std::int64_t i = 0; i < elements; ++i)
      out = std::max(out, std::abs(static_cast<double>(load_element(tensor.data(), shape_.dtype, i))));
    return out;
  }

  // Σ|q_c k_c| bounds the rounding error of a dot product: u (d + 3) Σ|q_c k_c|, u = 2^-24, the 3 for scaling q and
  // adding accumulators. So a logit is off by δ = u (d + 3) scale d max|q| max|k|, a weight by a factor 1 ± (δ +
  // 2^-22), sums over n keys by another u · n, and o, a ratio of two such sums, by twice that times max|v|; then o is
  // rounded.
  void compare() const {
    const double u = 0x1p-24, d = static_cast<double>(shape_.head_dim), n = static_cast<double>(shape_.kv_len);
    const double logit =
        u * (d + 3) * default_scale(shape_) * d * largest(q_, shape_.q_elements()) * largest(k_, shape_.kv_elements());
    const double weight = logit + 0x1p-22 + u * n;
    const double rounding = shape_.dtype == Dtype::f32 ? 0x1p-23 : shape_.dtype == Dtype::f16 ? 0x1p-10 : 0x1p-7;
    const double biggest = largest(v_, shape_.kv_elements());
    for (std::int64_t i = 0; i < shape_.q_elements(); ++i) {
      const double expected = load_element(expected_o_.data(), shape_.dtype, i);
      ASSERT_NEAR(load_element(o_.data(), shape_.dtype, i), expected,
                  2 * weight * biggest + rounding * std::abs(expected) + 0x1p-24)
          << "o element " << i;
    }
    for (std::int64_t row = 0; row < shape_.rows(); ++row) {
      const float expected = expected_lse_.as<float>()[row];
      if (std::isinf(expected))
        ASSERT_EQ(lse_.as<float>()[row], expected) << "lse of row " << row;
      else
        ASSERT_NEAR(lse_.as<float>()[row], expected, weight + 4 * u * std::abs(expected) + 4 * u)
            << "lse of row " << row;
    }
  }

  Shape shape_;
  std::mt19937 random_;
  Buffer q_, k_, v_, o_, lse_, expected_o_, expected_lse_;
};

// Random ascending lists, some empty and some full, in CSR form.
struct Csr {
  std::vector<std::int64_t> begin{0};
  std::vector<std::int32_t> count, indices;
  Csr(std::int64_t lists, std::int64_t end, unsigned seed) {
    std::mt19937 random(seed);
    for (std::int64_t list = 0; list < lists; ++list) {
      const std::size_t before = indices.size();
      for (std::int32_t i = 0; i < end; ++i)
        if (list % 5 == 1 || (list % 5 != 2 && random() % 3 == 0)) indices.push_back(i);
      count.push_back(static_cast<std::int32_t>(indices.size() - before));
      begin.push_back(static_cast<std::int64_t>(indices.size()));
    }
  }
};

std::vector<Shape> awkward_shapes() {
  return {
      {.q_heads = 1, .head_dim = 64, .q_len = 1, .kv_len = 1},
      {.q_heads = 2, .kv_heads = 2, .head_dim = 32, .q_len = 7, .kv_len = 7},
      {.batch = 2, .q_heads = 6, .kv_heads = 2, .head_dim = 64, .q_len = 33, .kv_len = 100},
      {.q_heads = 4, .kv_heads = 1, .head_dim = 128, .q_len = 97, .kv_len = 300},
      {.q_heads = 2, .kv_heads = 2, .head_dim = 64, .q_len = 130, .kv_len = 259, .causal = false},
      {.q_heads = 2, .kv_heads = 1, .head_dim = 32, .q_len = 50, .kv_len = 20, .causal = false},
      {.q_heads = 5, .kv_heads = 1, .head_dim = 64, .q_len = 1, .kv_len = 1500},
      {.batch = 2, .q_heads = 8, .kv_heads = 2, .head_dim = 128, .q_len = 1, .kv_len = 777, .causal = false},
  };
}

class Cpu : public testing::TestWithParam<Dtype> {
 protected:
  template <typename Test>
  void on_every_shape(Test test) {
    for (Shape shape : awkward_shapes()) {
      SCOPED_TRACE(testing::Message() << "q_len " << shape.q_len << " kv_len " << shape.kv_len << " head_dim "
                                      << shape.head_dim);
      shape.dtype = GetParam();
      ASSERT_NO_FATAL_FAILURE(test(shape));
    }
  }
};

TEST_P(Cpu, DenseAndBand) {
  on_every_shape([](const Shape& shape) {
    Problem problem(shape);
    for (const Selection& selection : {Selection(Dense{}), Selection(Band{4, 40}), Selection(Band{0, 1}),
                                       Selection(Band{0, 0}), Selection(Band{1000, 0}), Selection(Band{3, 2000})})
      ASSERT_NO_FATAL_FAILURE(problem.expect_matches_reference(selection));
  });
}

TEST_P(Cpu, BlockList) {
  on_every_shape([](const Shape& shape) {
    Problem problem(shape);
    for (const auto& [block_q, block_k] :
         {std::pair<std::int64_t, std::int64_t>{64, 64}, {128, 32}, {10, 7}, {1, 300}}) {
      const Csr csr(shape.batch * shape.q_heads * ((shape.q_len + block_q - 1) / block_q),
                    (shape.kv_len + block_k - 1) / block_k, 3);
      ASSERT_NO_FATAL_FAILURE(problem.expect_matches_reference(BlockList{block_q, block_k, csr.begin, csr.indices}));
    }
  });
}

TEST_P(Cpu, TokenListPerHeadAndPerGroup) {
  on_every_shape([](const Shape& shape) {
    Problem problem(shape);
    for (const std::int64_t page : {1, 16, 5})
      for (const std::int64_t heads : {shape.q_heads, shape.kv_heads}) {
        const Csr csr(shape.batch * heads * shape.q_len, (shape.kv_len + page - 1) / page, 4);
        ASSERT_NO_FATAL_FAILURE(
            problem.expect_matches_reference(TokenList{heads, page, csr.begin, csr.count, csr.indices}));
      }
  });
}

INSTANTIATE_TEST_SUITE_P(Dtypes, Cpu, testing::Values(Dtype::f32, Dtype::f16, Dtype::bf16),
                         [](const auto& dtype) { return std::string(to_string(dtype.param)); });

TEST(CpuEngine, OutputDoesNotDependOnTheNumberOfThreads) {
  const int threads = omp_get_max_threads();
  const Shape prefill{.q_heads = 4, .kv_heads = 2, .head_dim = 64, .q_len = 300, .kv_len = 700};
  const Shape decode{.q_heads = 4, .kv_heads = 1, .head_dim = 64, .q_len = 1, .kv_len = 9000};
  for (const Shape& shape : {prefill, decode}) {
    Problem problem(shape);
    omp_set_num_threads(1);
    problem.run(Dense{});
    const auto alone = problem.output();
    for (const int n : {2, 3, 7}) {
      omp_set_num_threads(n);
      problem.run(Dense{});
      EXPECT_EQ(problem.output(), alone) << n << " threads";
    }
  }
  omp_set_num_threads(threads);
}

TEST(CpuEngine, PrefillWorkspaceIsLinearAndDecodeWorkspaceBounded) {
  Shape shape{.q_heads = 4, .kv_heads = 1, .q_len = 1 << 20, .kv_len = 1 << 20};
  EXPECT_LE(cpu_workspace(shape, Dense{}), std::size_t(shape.kv_len) * (2 * 128 * 4 + 1));
  shape.q_len = 1;
  EXPECT_LE(cpu_workspace(shape, Dense{}), std::size_t{1} << 24);
}

TEST(CpuEngine, RefusesWhatItCannotRun) {
  Shape shape{.head_dim = 80};
  ASSERT_TRUE(cpu_unsupported(shape).has_value());
  EXPECT_THROW(cpu({shape, nullptr, nullptr, nullptr, 1.0f}, Dense{}, {}, nullptr), Error);
  shape.head_dim = 64;
  EXPECT_FALSE(cpu_unsupported(shape).has_value());
  EXPECT_THROW(cpu_workspace(shape, ColumnList{}), Error);
  EXPECT_THROW(cpu({shape, nullptr, nullptr, nullptr, 1.0f}, ChunkList{}, {}, nullptr), Error);
}

}  // namespace
}  // namespace attnscope::attend
