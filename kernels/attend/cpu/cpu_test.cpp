// SPDX-License-Identifier: Apache-2.0
// The CPU engine against the reference: every form, dtype, head_dim and instruction set, on awkward shapes.
#include <gtest/gtest.h>
#include <omp.h>

#include <vector>

#include "harness/base/error.hpp"
#include "kernels/attend/attend.hpp"
#include "kernels/attend/cpu/cpu_problem.hpp"

namespace attnscope::attend {
namespace {

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
  EXPECT_TRUE(cpu_unsupported({.q_len = 2, .kv_len = 2, .cache_page = 16}).has_value());
  EXPECT_THROW(cpu_workspace(shape, ColumnList{}), Error);
  EXPECT_THROW(cpu({shape, nullptr, nullptr, nullptr, 1.0f}, ChunkList{}, {}, nullptr), Error);
}

}  // namespace
}  // namespace attnscope::attend
