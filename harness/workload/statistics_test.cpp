// SPDX-License-Identifier: Apache-2.0
#include "harness/workload/statistics.hpp"

#include <gmock/gmock.h>

#include <array>
#include <cmath>

namespace attnscope {
namespace {

// Eight keys of one dimension, query 1, scale 1: the logits are the keys. Weights 8, 4, 2, 1, 1, 1, 1, 2 of 20.
class HandMadeAttention : public testing::Test {
 protected:
  HandMadeAttention() {
    const std::array<double, 8> weights{8, 4, 2, 1, 1, 1, 1, 2};
    for (std::size_t j = 0; j < weights.size(); ++j) keys_[j] = static_cast<float>(std::log(weights[j]));
    inputs_.shape = {.head_dim = 1, .q_len = 2, .kv_len = 8, .dtype = Dtype::f32};
    inputs_.q = queries_.data();
    inputs_.k = keys_.data();
    inputs_.v = keys_.data();
    inputs_.scale = 1;
  }

  std::array<float, 2> queries_{-3, 1};
  std::array<float, 8> keys_{};
  AttentionInputs inputs_;
  const Row last_{.batch = 0, .head = 0, .query = 1};
};

TEST_F(HandMadeAttention, WeightsAreTheSoftmaxOfTheVisibleKeys) {
  const auto weights = attention_weights(inputs_, last_);
  ASSERT_EQ(weights.size(), 8u);
  EXPECT_NEAR(weights[0], .4, 1e-7);
  EXPECT_NEAR(weights[7], .1, 1e-7);
  EXPECT_EQ(attention_weights(inputs_, {.query = 0}).size(), 7u);
}

TEST_F(HandMadeAttention, MassesAreDisjointAndCountsAreTheFewestKeys) {
  const std::array<std::int64_t, 4> columns{0, 1, 3, 7};
  const RowStatistics s =
      measure_rows(inputs_, std::array{last_},
                   {.window = 2, .columns = [&](const Row&) { return std::span<const std::int64_t>(columns); }})[0];
  EXPECT_EQ(s.visible, 8);
  EXPECT_NEAR(s.first_mass, .40, 1e-7);
  EXPECT_NEAR(s.window_mass, .15, 1e-7);  // keys 6 and 7
  EXPECT_NEAR(s.column_mass, .25, 1e-7);  // keys 1 and 3: 0 is the sink's and 7 the window's
  // Sorted: 8 4 2 2 1 1 1 1, running sums .4 .6 .7 .8 .85 .9 .95 1; float keys put sums at a bound on either side.
  EXPECT_THAT(s.keys_90, testing::AnyOf(6, 7));
  EXPECT_EQ(s.keys_98, 8);
  EXPECT_NEAR(s.best_512, 1, 1e-12);
  EXPECT_NEAR(s.without_first(.7), .5, 1e-6);
  EXPECT_NEAR(*s.query_cosine, -1, 1e-12);
}

TEST_F(HandMadeAttention, TheFirstRowHasNoQueryBeforeIt) {
  EXPECT_FALSE(measure_rows(inputs_, std::array{Row{}})[0].query_cosine);
}

TEST_F(HandMadeAttention, OneVisibleKeyHoldsEverything) {
  inputs_.shape.kv_len = inputs_.shape.q_len = 1;
  const RowStatistics s = measure_rows(inputs_, std::array{Row{}})[0];
  EXPECT_EQ(s.keys_95, 1);
  EXPECT_EQ(s.first_mass, 1);
  EXPECT_EQ(s.window_mass, 0);
}

TEST_F(HandMadeAttention, HeaviestColumnsLeaveOutSinkAndWindow) {
  inputs_.shape.q_len = 1;
  queries_[0] = 1;
  EXPECT_THAT(heaviest_columns(inputs_, 0, 0, 2, 1), testing::ElementsAre(1, 2));
  EXPECT_THAT(heaviest_columns(inputs_, 0, 0, 100, 5), testing::ElementsAre(1, 2));
  EXPECT_THAT(heaviest_columns(inputs_, 0, 0, 4, 100), testing::IsEmpty());
}

TEST(RowsToMeasure, AreSpreadOverTheLastHalfAndEndWithTheLast) {
  const Shape shape{.batch = 1, .q_heads = 1, .kv_heads = 1, .q_len = 8, .kv_len = 8};
  const auto rows = rows_to_measure(shape, 2);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].query, 5);
  EXPECT_EQ(rows[1].query, 7);
  EXPECT_EQ(rows_to_measure({.q_len = 1}, 100).size(), 1u);
}

}  // namespace
}  // namespace attnscope
