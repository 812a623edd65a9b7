// SPDX-License-Identifier: Apache-2.0
// What every workload owes: earlier queries that belong to the sequence and change nothing else, and a sequence of its
// own for every entry of a batch.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>

#include "harness/workload/workload_testing.hpp"

namespace attnscope {
namespace {

using testing_::make;

constexpr Shape kWhole{.batch = 2, .q_heads = 4, .kv_heads = 2, .head_dim = 64, .q_len = 200, .kv_len = 200};

/// `rows` query rows at the end of `kWhole`, with `history` before them.
Shape end_of_whole(std::int64_t rows, std::int64_t history) {
  Shape shape = kWhole;
  shape.q_len = rows;
  shape.history = history;
  return shape;
}

class EveryWorkload : public testing::TestWithParam<std::string> {};

TEST_P(EveryWorkload, EarlierQueriesAreRowsOfThePrefill) {
  const Problem whole = make(GetParam(), kWhole, Phase::prefill);
  std::set<std::pair<std::int64_t, std::int64_t>> asking;  // rows in which a task puts its own query
  if (whole.task)
    for (const Row& row : whole.task->rows) asking.insert({row.batch * kWhole.q_heads + row.head, row.query});
  const auto row_bytes = static_cast<std::size_t>(kWhole.head_dim * size_of(kWhole.dtype));
  // In one tile of the generator, across several, and all there are.
  for (const auto& [rows, history] : {std::pair<std::int64_t, std::int64_t>{1, 1}, {1, 130}, {7, 64}, {1, 199}}) {
    const Problem part = make(GetParam(), end_of_whole(rows, history), Phase::decode);
    std::int64_t compared = 0;
    for (std::int64_t head = 0; head < kWhole.batch * kWhole.q_heads; ++head)
      for (std::int64_t i = 0; i < history; ++i) {
        const std::int64_t position = kWhole.kv_len - rows - history + i;
        if (asking.contains({head, position})) continue;
        const auto* mine = part.past_q.as<std::byte>() + static_cast<std::size_t>(head * history + i) * row_bytes;
        const auto* theirs =
            whole.q.as<std::byte>() + static_cast<std::size_t>(head * kWhole.q_len + position) * row_bytes;
        ASSERT_EQ(std::memcmp(mine, theirs, row_bytes), 0) << head << ", " << position;
        ++compared;
      }
    EXPECT_GT(compared, 0);
  }
}

TEST_P(EveryWorkload, EarlierQueriesChangeNothingElse) {
  const Problem without = make(GetParam(), end_of_whole(3, 0), Phase::decode);
  const Problem with = make(GetParam(), end_of_whole(3, 50), Phase::decode);
  for (const auto tensor : {&Problem::q, &Problem::k, &Problem::v})
    EXPECT_EQ(std::memcmp((with.*tensor).data(), (without.*tensor).data(), (without.*tensor).bytes()), 0);
  EXPECT_EQ(without.inputs().past_q, nullptr);
  EXPECT_EQ(with.inputs().past_q, with.past_q.data());
}

TEST_P(EveryWorkload, EverySequenceOfABatchIsItsOwn) {
  Shape shape = end_of_whole(1, 10);
  shape.batch = 5;
  const Problem problem = make(GetParam(), shape, Phase::decode);
  for (const auto tensor : {&Problem::q, &Problem::k, &Problem::v, &Problem::past_q}) {
    std::set<std::string> sequences;
    const Buffer& buffer = problem.*tensor;
    const std::size_t bytes = buffer.bytes() / static_cast<std::size_t>(shape.batch);
    for (std::int64_t b = 0; b < shape.batch; ++b)
      sequences.emplace(buffer.as<char>() + static_cast<std::size_t>(b) * bytes, bytes);
    EXPECT_EQ(sequences.size(), 5u);
  }
}

INSTANTIATE_TEST_SUITE_P(Workloads, EveryWorkload, testing::Values("gaussian", "llm", "needle"),
                         [](const auto& tested) { return tested.param; });

}  // namespace
}  // namespace attnscope
