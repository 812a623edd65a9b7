// SPDX-License-Identifier: Apache-2.0
#include "kernels/compose/chunk.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace attnscope::compose {
namespace {

// Tensors only as addresses: chunks are never read here.
Task task_of(const Shape& shape) {
  const auto at = [](std::uintptr_t address) { return reinterpret_cast<void*>(address); };
  return {.inputs = {.shape = shape, .q = at(0x10000), .k = at(0x20000), .v = at(0x30000), .scale = 1},
          .outputs = {.o = at(0x40000), .lse = static_cast<float*>(at(0x50000))}};
}

std::ptrdiff_t offset(const void* pointer, std::uintptr_t base) {
  return static_cast<std::ptrdiff_t>(reinterpret_cast<std::uintptr_t>(pointer) - base);
}

TEST(ChunkPlan, LeavesAProblemWholeThatFits) {
  const Shape shape{.q_heads = 2, .kv_heads = 1, .head_dim = 32, .q_len = 10, .kv_len = 20};
  const ChunkPlan plan(task_of(shape), 2 * 10 * 20 * 4);
  EXPECT_EQ(plan.size(), 1);
  EXPECT_EQ(plan.max_rows(), 20);
  EXPECT_EQ(plan[0].inputs.shape, shape);
  EXPECT_EQ(plan.index_of({0, 1, 9}), 0);
}

TEST(ChunkPlan, NeverCutsDecoding) {
  const Shape shape{.q_heads = 8, .kv_heads = 2, .head_dim = 32, .q_len = 1, .kv_len = 1000};
  EXPECT_EQ(ChunkPlan(task_of(shape), 1).size(), 1);
}

TEST(ChunkPlan, CutsHeadsIntoRowsThatSeeAPrefixOfTheKeys) {
  // Three rows of 8 floats fit: chunks of 3, 3 and 1 queries for each of 2 · 4 heads.
  const Shape shape{.batch = 2, .q_heads = 4, .kv_heads = 2, .head_dim = 32, .q_len = 7, .kv_len = 8};
  const ChunkPlan plan(task_of(shape), 3 * 8 * 4);
  ASSERT_EQ(plan.size(), 24);
  EXPECT_EQ(plan.max_rows(), 3);

  const Chunk chunk = plan[3 * (4 + 3) + 1];  // batch 1, head 3, queries 3..5
  EXPECT_EQ(chunk.first_row, 7 * 7 + 3);
  EXPECT_EQ(chunk.inputs.shape.q_len, 3);
  EXPECT_EQ(chunk.inputs.shape.kv_len, 7);  // query 5 stands at key 6
  for (std::int64_t i = 0; i < 3; ++i) EXPECT_EQ(chunk.inputs.shape.visible(i), shape.visible(3 + i));
  EXPECT_EQ(offset(chunk.inputs.q, 0x10000), (7 * 7 + 3) * 32 * 2);
  EXPECT_EQ(offset(chunk.inputs.k, 0x20000), 3 * 8 * 32 * 2);  // batch 1, KV head 1
  EXPECT_EQ(offset(chunk.inputs.v, 0x30000), 3 * 8 * 32 * 2);
  EXPECT_EQ(offset(chunk.outputs.o, 0x40000), (7 * 7 + 3) * 32 * 2);
  EXPECT_EQ(offset(chunk.outputs.lse, 0x50000), (7 * 7 + 3) * 4);
}

TEST(ChunkPlan, CoversEveryRowOnce) {
  for (const bool causal : {true, false}) {
    const Shape shape{
        .batch = 2, .q_heads = 3, .kv_heads = 1, .head_dim = 32, .q_len = 300, .kv_len = 311, .causal = causal};
    const ChunkPlan plan(task_of(shape), 100 * 311 * 4);
    EXPECT_EQ(plan.max_rows(), 64);  // whole tiles
    std::vector<int> covered(shape.rows());
    for (std::int64_t index = 0; index < plan.size(); ++index) {
      const Chunk chunk = plan[index];
      EXPECT_LE(chunk.inputs.shape.q_len, plan.max_rows());
      for (std::int64_t i = 0; i < chunk.inputs.shape.q_len; ++i) {
        const std::int64_t row = chunk.first_row + i;
        const std::int64_t head = row / shape.q_len;
        ++covered[row];
        EXPECT_EQ(plan.index_of({head / 3, head % 3, row % shape.q_len}), index);
        EXPECT_EQ(chunk.inputs.shape.visible(i), shape.visible(row % shape.q_len));
      }
    }
    EXPECT_EQ(covered, std::vector<int>(shape.rows(), 1));
  }
}

TEST(ChunkPlan, CutsToSingleRowsWhenNotEvenOneFits) {
  const Shape shape{.head_dim = 32, .q_len = 4, .kv_len = 1000};
  const ChunkPlan plan(task_of(shape), 1);
  EXPECT_EQ(plan.size(), 4);
  EXPECT_EQ(plan.max_rows(), 1);
}

}  // namespace
}  // namespace attnscope::compose
