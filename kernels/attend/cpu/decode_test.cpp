// SPDX-License-Identifier: Apache-2.0
// What decode methods ask of the CPU engine: paged caches, weighted keys, lists of very different lengths, and results
// in parts.
#include <gtest/gtest.h>
#include <omp.h>

#include <vector>

#include "harness/base/error.hpp"
#include "kernels/attend/attend.hpp"
#include "kernels/attend/cpu/cpu_problem.hpp"
#include "kernels/attend/list_testing.hpp"

namespace attnscope::attend {
namespace {

Shape decode_shape(Dtype dtype, std::int64_t kv_len) {
  return {.batch = 3, .q_heads = 8, .kv_heads = 2, .head_dim = 64, .q_len = 1, .kv_len = kv_len, .dtype = dtype};
}

class CpuDecode : public testing::TestWithParam<Dtype> {};

INSTANTIATE_TEST_SUITE_P(Dtypes, CpuDecode, testing::Values(Dtype::f32, Dtype::f16, Dtype::bf16),
                         [](const auto& dtype) { return std::string(to_string(dtype.param)); });

TEST_P(CpuDecode, PagesInAnyOrderChangeNoBit) {
  Shape shape = decode_shape(GetParam(), 777);
  const HostLists tokens = random_lists(3 * 8, shape.kv_len, 0.3), pages = random_lists(3 * 2, 49, 0.3);
  for (const Selection& selection :
       {Selection(Dense{}), Selection(Band{4, 40}), Selection(tokens.view(8, 1)), Selection(pages.view(2, 16))}) {
    shape.cache_page = 0;
    Problem contiguous(shape);
    contiguous.run(selection);
    for (const std::int64_t page : {1, 16, 64, 256, 1024}) {
      shape.cache_page = page;
      Problem paged(shape);
      paged.run(selection);
      EXPECT_EQ(paged.output(), contiguous.output()) << "pages of " << page;
    }
  }
}

TEST_P(CpuDecode, LogWeightsAreAddedToTheLogits) {
  Shape shape = decode_shape(GetParam(), 700);
  shape.cache_page = 16;
  for (const std::int64_t heads : {8, 2}) {
    HostLists lists = random_lists(3 * heads, shape.kv_len, 0.4);
    lists.draw_log_weights();
    Problem(shape).expect_matches_reference(lists.view(heads, 1));
  }
}

TEST_P(CpuDecode, ListsOfVeryDifferentLengths) {
  const Shape shape = decode_shape(GetParam(), 20'000);
  for (const std::int64_t heads : {8, 2}) {
    const HostLists lists = lists_of_lengths({0, 1, 17, 5000, 20'000}, 3 * heads, shape.kv_len);
    Problem(shape).expect_matches_reference(lists.view(heads, 1));
  }
}

TEST_P(CpuDecode, PartsMergeToTheWhole) {
  const Shape shape = decode_shape(GetParam(), 700);
  const HostLists even = every_other_key(3 * 8, shape.kv_len, 0), odd = every_other_key(3 * 8, shape.kv_len, 1);
  const HostLists none = random_lists(3 * 8, shape.kv_len, 0.0);
  Problem problem(shape);
  problem.run_merged({even.view(8, 1), none.view(8, 1), odd.view(8, 1)});
  problem.expect_matches(Dense{});
  problem.run_merged({none.view(8, 1), none.view(8, 1)});
  problem.expect_matches(none.view(8, 1));
}

TEST(CpuDecodeLists, OutputDoesNotDependOnTheNumberOfThreads) {
  const Shape shape = decode_shape(Dtype::bf16, 20'000);
  const HostLists lists = lists_of_lengths({0, 1, 17, 5000, 20'000}, 3 * 8, shape.kv_len);
  Problem problem(shape);
  const int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  problem.run(lists.view(8, 1));
  const auto alone = problem.output();
  omp_set_num_threads(5);
  problem.run(lists.view(8, 1));
  EXPECT_EQ(problem.output(), alone);
  omp_set_num_threads(threads);
}

TEST(CpuDecodeLists, RefusesWhatItCannotRun) {
  const Shape shape = decode_shape(Dtype::f32, 64);
  Problem problem(shape);
  HostLists lists = lists_of_lengths({2}, 3 * 8, 4);
  lists.draw_log_weights();
  EXPECT_THROW(problem.run(lists.view(8, 16)), InputError) << "weights of pages";
  EXPECT_THROW(problem.run(lists.view(3, 1)), InputError) << "lists of no head";
  EXPECT_THROW(cpu_merge(shape, {}, {}), InputError);
  EXPECT_THROW(cpu_merge(shape, std::vector<AttentionOutputs>(1), {}), InputError) << "not partial";
  Shape paged = shape;
  paged.cache_page = 16;
  EXPECT_THROW(Problem(paged).run(BlockList{.begin = {}, .indices = {}}), InputError);
}

}  // namespace
}  // namespace attnscope::attend
