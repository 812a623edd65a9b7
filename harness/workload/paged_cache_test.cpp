// SPDX-License-Identifier: Apache-2.0
#include "harness/workload/paged_cache.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numeric>
#include <vector>

#include "harness/base/half.hpp"
#include "harness/workload/workload_testing.hpp"

namespace attnscope {
namespace {

using testing_::make;

/// One key; a short last page; whole pages; pages of one key; a page longer than the sequence; several heads and
/// batches; more than is laid out at once.
std::vector<Shape> shapes() {
  std::vector<Shape> all{
      {.batch = 2, .q_heads = 4, .kv_heads = 4, .kv_len = 10'001, .dtype = Dtype::f32, .cache_page = 16}};
  for (const auto& [batch, kv_heads, kv_len, page] :
       {std::array<std::int64_t, 4>{1, 1, 1, 16}, {3, 2, 37, 16}, {2, 3, 64, 32}, {2, 2, 19, 1}, {1, 2, 5, 64}})
    for (const Dtype dtype : {Dtype::f32, Dtype::bf16})
      all.push_back({.batch = batch,
                     .q_heads = kv_heads,
                     .kv_heads = kv_heads,
                     .head_dim = 8,
                     .kv_len = kv_len,
                     .dtype = dtype,
                     .cache_page = page});
  return all;
}

std::vector<std::int32_t> table_of(const AttentionInputs& inputs) {
  return {inputs.page_table, inputs.page_table + inputs.shape.batch * inputs.shape.cache_pages()};
}

TEST(PagedCache, GivesBackEveryRowThroughTheTable) {
  for (const Shape& shape : shapes()) {
    const Problem problem = make("gaussian", shape, Phase::decode);
    AttentionInputs paged = problem.inputs();
    const PagedCache cache(problem.inputs(), Space::host, 7, 2);
    cache.replace_in(paged);
    const auto row_bytes = static_cast<std::size_t>(shape.head_dim * size_of(shape.dtype));
    const auto row = [&](const void* tensor, std::int64_t index) {
      return static_cast<const std::byte*>(tensor) + static_cast<std::size_t>(index) * row_bytes;
    };
    for (std::int64_t b = 0; b < shape.batch; ++b)
      for (std::int64_t h = 0; h < shape.kv_heads; ++h) {
        const KvRows there = paged.kv_rows(b, h), here = problem.inputs().kv_rows(b, h);
        for (std::int64_t j = 0; j < shape.kv_len; ++j) {
          ASSERT_EQ(std::memcmp(row(paged.k, there.row(j)), row(problem.k.data(), here.row(j)), row_bytes), 0)
              << b << " " << h << " " << j;
          ASSERT_EQ(std::memcmp(row(paged.v, there.row(j)), row(problem.v.data(), here.row(j)), row_bytes), 0)
              << b << " " << h << " " << j;
        }
      }
    EXPECT_TRUE(cache.guards_intact());
  }
}

TEST(PagedCache, NumbersEveryPageOfThePoolOnce) {
  for (const Shape& shape : shapes()) {
    const Problem problem = make("gaussian", shape, Phase::decode);
    AttentionInputs paged = problem.inputs();
    const PagedCache cache(problem.inputs(), Space::host, 7, 2);
    cache.replace_in(paged);
    std::vector<std::int32_t> table = table_of(paged), all(table.size());
    std::ranges::sort(table);
    std::iota(all.begin(), all.end(), 0);
    EXPECT_EQ(table, all);
  }
}

TEST(PagedCache, HoldsNothingButKeysAndNaN) {
  for (const Shape& shape : shapes()) {
    const Problem problem = make("gaussian", shape, Phase::decode);
    AttentionInputs paged = problem.inputs();
    const PagedCache cache(problem.inputs(), Space::host, 7, 2);
    cache.replace_in(paged);
    for (const void* pool : {paged.k, paged.v}) {
      std::int64_t finite = 0;
      for (std::int64_t i = 0; i < paged.stored_kv_elements(); ++i)
        finite += std::isfinite(load_element(pool, shape.dtype, i));
      EXPECT_EQ(finite, shape.kv_elements());
    }
  }
}

TEST(PagedCache, ScattersPagesAsTheSeedSays) {
  const Shape shape{.batch = 2, .head_dim = 4, .kv_len = 1000, .dtype = Dtype::f32, .cache_page = 1};
  const Problem problem = make("gaussian", shape, Phase::decode);
  const auto table = [&](std::uint64_t seed, int threads) {
    AttentionInputs paged = problem.inputs();
    const PagedCache cache(problem.inputs(), Space::host, seed, threads);
    cache.replace_in(paged);
    return table_of(paged);
  };
  const std::vector<std::int32_t> one = table(1, 1);
  EXPECT_EQ(table(1, 2), one);
  EXPECT_NE(table(2, 1), one);
  int neighbours = 0;
  for (std::size_t i = 1; i < one.size(); ++i) neighbours += one[i] == one[i - 1] + 1;
  EXPECT_LT(neighbours, 10);  // one is expected, Poisson
}

}  // namespace
}  // namespace attnscope
