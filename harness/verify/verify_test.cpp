// SPDX-License-Identifier: Apache-2.0
// The checker must pass what is right and reject what is wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <set>

#include "harness/base/half.hpp"
#include "harness/verify/accuracy.hpp"
#include "harness/verify/compare.hpp"
#include "harness/verify/sample_rows.hpp"
#include "harness/verify/terms.hpp"
#include "harness/verify/tolerance.hpp"

namespace attnscope {
namespace {

using testing::HasSubstr;
using testing::Optional;

TEST(SelectionFault, TakesWhatTheDefinitionAllowsAndNothingElse) {
  const RowSelection defined{{1, 4, 9}, {2, 5, 7}, 1, 2};
  using Keys = std::vector<std::int32_t>;
  EXPECT_EQ(selection_fault(defined, Keys{1, 2, 4, 9}), std::nullopt);
  EXPECT_EQ(selection_fault(defined, Keys{1, 4, 5, 7, 9}), std::nullopt);
  EXPECT_THAT(selection_fault(defined, Keys{1, 2, 9}), Optional(HasSubstr("key 4 must be attended")));
  EXPECT_THAT(selection_fault(defined, Keys{1, 2, 4, 8, 9}), Optional(HasSubstr("key 8 is attended")));
  EXPECT_THAT(selection_fault(defined, Keys{1, 4, 9}), Optional(HasSubstr("0 borderline")));
  EXPECT_THAT(selection_fault(defined, Keys{1, 2, 4, 5, 7, 9}), Optional(HasSubstr("3 borderline")));
  EXPECT_THAT(selection_fault(defined, Keys{1, 4, 2, 9}), Optional(HasSubstr("ascending")));
}

TEST(SampleRows, TakesAllRowsWhenThereAreFew) { EXPECT_EQ(sample_rows({2, 3, 3, 8, 4, 4}, 24, 1).size(), 24u); }

TEST(SampleRows, IsDistinctStratifiedAndHasTheLastQuery) {
  const Shape long_prefill{1, 6, 3, 8, 1000, 1000};
  const Shape many_heads{4, 40, 8, 8, 3, 100};
  for (const Shape& shape : {long_prefill, many_heads}) {
    const auto rows = sample_rows(shape, 128, 3);
    std::set<std::tuple<std::int64_t, std::int64_t, std::int64_t>> distinct;
    std::int64_t in_first_half = 0, last = 0;
    for (const Row& row : rows) {
      distinct.insert({row.batch, row.head, row.query});
      in_first_half += row.query < shape.q_len / 2;
      last = std::max(last, row.query);
      EXPECT_LT(row.head, shape.q_heads);
      EXPECT_LT(row.batch, shape.batch);
    }
    EXPECT_EQ(distinct.size(), 128u);
    EXPECT_EQ(last, shape.q_len - 1);
    if (shape.q_len == 1000) {
      EXPECT_EQ(in_first_half, 64);
    }
  }
  EXPECT_EQ(sample_rows(long_prefill, 128, 3), sample_rows(long_prefill, 128, 3));
}

/// A call whose outputs are the double reference rounded to the dtype, over all visible keys.
struct RightAnswer {
  Shape shape;
  std::vector<std::uint16_t> q16, k16, v16, o16;
  std::vector<float> lse;
  AttentionRows exact;

  explicit RightAnswer(std::int64_t kv_len) : shape{1, 4, 2, 32, 3, kv_len, true, Dtype::bf16} {
    std::mt19937 random(3);
    std::normal_distribution<float> normal;
    const auto fill = [&](std::vector<std::uint16_t>& x, std::int64_t n) {
      for (std::int64_t i = 0; i < n; ++i) x.push_back(float_to_bf16(normal(random)));
    };
    fill(q16, shape.q_elements()), fill(k16, shape.kv_elements()), fill(v16, shape.kv_elements());
    exact = exact_attention(inputs(), sample_rows(shape, 1000, 1), 1);
    for (const double o : exact.o) o16.push_back(float_to_bf16(static_cast<float>(o)));
    for (const double l : exact.lse) lse.push_back(static_cast<float>(l));
  }
  AttentionInputs inputs() const { return {shape, q16.data(), k16.data(), v16.data(), default_scale(shape)}; }
  AttentionOutputs outputs() { return {o16.data(), lse.data()}; }
  std::optional<std::string> fault() {
    record::Verified verified;
    return compare_rows(shape, outputs(), exact, verified);
  }
};

TEST(CompareRows, PassesRoundedOutputsWithRoomToSpare) {
  RightAnswer answer(50);
  record::Verified verified;
  EXPECT_EQ(compare_rows(answer.shape, answer.outputs(), answer.exact, verified), std::nullopt);
  EXPECT_GT(verified.reference_rel_l2, 0);
  EXPECT_LT(verified.reference_rel_l2, verified.tolerance);
  EXPECT_LT(verified.tolerance, 0.05);
  EXPECT_EQ(verified.rows, 12);
}

TEST(CompareRows, RejectsPlantedErrorsOfAFewPercent) {
  for (const std::int64_t kv_len : {3, 50, 5000}) {
    RightAnswer scaled(kv_len);
    for (std::int64_t c = 0; c < 32; ++c)
      scaled.o16[5 * 32 + c] = float_to_bf16(1.06f * bf16_to_float(scaled.o16[5 * 32 + c]));
    EXPECT_THAT(scaled.fault(), Optional(HasSubstr("o of batch 0 head 1 query 2")));

    RightAnswer shifted(kv_len);
    shifted.lse[11] += 1e-3f;
    EXPECT_THAT(shifted.fault(), Optional(HasSubstr("lse of batch 0 head 3 query 2")));

    RightAnswer swapped(kv_len);
    std::swap_ranges(swapped.o16.begin(), swapped.o16.begin() + 32, swapped.o16.begin() + 32);
    EXPECT_NE(swapped.fault(), std::nullopt);
  }
}

TEST(CompareRows, RejectsTheLossOfOneKeyAmongMany) {
  RightAnswer answer(200);
  const Row row{0, 0, 2};
  std::vector<std::int32_t> all_but_one;
  for (std::int32_t j = 1; j < 200; ++j) all_but_one.push_back(j);
  const AttentionRows wrong = attention_over(answer.inputs(), row, all_but_one, 1);
  answer.lse[2] = static_cast<float>(wrong.lse[0]);
  EXPECT_THAT(answer.fault(), Optional(HasSubstr("query 2")));
}

TEST(CompareRows, RejectsNotANumber) {
  RightAnswer answer(20);
  answer.o16[7] = 0xffff;
  EXPECT_NE(answer.fault(), std::nullopt);
}

TEST(Unwritten, FindsPoisonInEitherOutput) {
  RightAnswer answer(20);
  EXPECT_EQ(unwritten_output(answer.shape, answer.outputs()), std::nullopt);
  answer.lse[3] = -std::numeric_limits<float>::infinity();  // a row without keys is no fault
  EXPECT_EQ(unwritten_output(answer.shape, answer.outputs()), std::nullopt);
  answer.lse[4] = std::bit_cast<float>(0xffffffffu);
  EXPECT_THAT(unwritten_output(answer.shape, answer.outputs()), Optional(HasSubstr("lse: row 4")));
  answer.o16[9] = 0xffff;
  EXPECT_THAT(unwritten_output(answer.shape, answer.outputs()), Optional(HasSubstr("o: element 9")));
}

TEST(Tolerance, OfOneKeyIsOutputAndWeightRounding) {
  // p = 1: u·1 (output) + u·(1 + 4) (weight), other terms are below 2e-5.
  const RowScale one{.keys = 1, .max_logit = 0, .max_abs_logit = 0, .q_norm = 1, .max_k_norm = 1, .p2v2 = 1, .v2 = 1};
  EXPECT_NEAR(row_tolerance(Dtype::bf16, 64, one, 1, 0).o, 6 * 0x1p-8, 2e-5);
  EXPECT_NEAR(row_tolerance(Dtype::f16, 64, one, 1, 0).o, 6 * 0x1p-11, 1e-4);
  EXPECT_LT(row_tolerance(Dtype::f32, 64, one, 1, 0).o, 2e-5);
  EXPECT_LT(row_tolerance(Dtype::bf16, 64, one, 1, 0).lse, 1e-5);
  EXPECT_EQ(row_tolerance(Dtype::bf16, 64, RowScale{}, 0, 0).o, 0);
}

TEST(Terms, WithoutAnyAreSoftmaxAttention) {
  const RightAnswer answer(50);
  const std::vector<std::int32_t> keys{0, 3, 17};
  const Row row{};
  RowTerms nothing_added;
  nothing_added.log_weight.assign(keys.size(), 0.0);
  const AttentionRows plain = attention_over(answer.inputs(), row, keys, 1);
  const AttentionRows weighted = attention_with(answer.inputs(), row, keys, nothing_added, 1);
  EXPECT_NEAR(weighted.lse[0], plain.lse[0], 1e-12);
  for (std::size_t c = 0; c < plain.o.size(); ++c) EXPECT_NEAR(weighted.o[c], plain.o[c], 1e-12);
  EXPECT_NEAR(weighted.scale[0].p2v2, plain.scale[0].p2v2, 1e-12);
  EXPECT_NEAR(weighted.scale[0].max_k_norm, plain.scale[0].max_k_norm, 1e-12);
}

TEST(Terms, ByHand) {
  // Logits ln 1, ln 2 and weights ln 3, ln 1/2: terms 3 and 1; an extra term of weight 4: (3·10 + 1·20 + 4·30) / 8.
  const Shape shape{1, 1, 1, 1, 1, 2, true, Dtype::f32};
  const float q[] = {1}, k[] = {0, std::log(2.0f)}, v[] = {10, 20};
  const RowTerms terms{.log_weight = {std::log(3.0), std::log(0.5)},
                       .extra_logits = {std::log(4.0)},
                       .extra_values = {30},
                       .logit_error = 0.25};
  const AttentionRows row = attention_with({shape, q, k, v, 1.0f}, {}, std::vector<std::int32_t>{0, 1}, terms, 1);
  EXPECT_NEAR(row.o[0], 170.0 / 8, 1e-6);
  EXPECT_NEAR(row.lse[0], std::log(8.0), 1e-7);
  EXPECT_EQ(row.scale[0].keys, 3);
  EXPECT_EQ(row.scale[0].logit_error, 0.25);
  // A weight that may lie off by δ lets p and the LSE lie off by δ.
  EXPECT_GT(row_tolerance(Dtype::f32, 1, row.scale[0], row.o[0], row.lse[0]).lse, 0.25);
}

TEST(Accuracy, OfTheExactAnswerIsPerfect) {
  RightAnswer answer(50);
  Comparison comparison;
  comparison.attended_lse = answer.exact.lse;
  comparison.attends_first.assign(answer.exact.rows.size(), 1);
  const record::Accuracy result = accuracy(answer.inputs(), answer.outputs(), answer.exact, comparison, nullptr);
  EXPECT_LT(*result.rel_l2, 0x1p-8);
  EXPECT_NEAR(*result.cosine, 1, 1e-4);
  EXPECT_DOUBLE_EQ(*result.mass_recall, 1);
  EXPECT_DOUBLE_EQ(*result.mass_recall_min, 1);
  EXPECT_DOUBLE_EQ(*result.mass_recall_non_sink, 1);
  EXPECT_FALSE(result.task_score);
}

TEST(Accuracy, MassByHand) {
  // Four keys with logits ln 1, ln 2, ln 3, ln 4: weights 0.1, 0.2, 0.3, 0.4. Attended: keys 0 and 3.
  const Shape shape{1, 1, 1, 1, 1, 4, true, Dtype::f32};
  const float q[] = {1}, k[] = {0, std::log(2.0f), std::log(3.0f), std::log(4.0f)}, v[] = {1, 1, 1, 6};
  const AttentionInputs inputs{shape, q, k, v, 1.0f};
  const Row row{};
  const AttentionRows exact = exact_attention(inputs, {&row, 1}, 1);
  EXPECT_NEAR(exact.o[0], 3, 1e-6);
  Comparison comparison;
  comparison.attended_lse = attention_over(inputs, row, std::vector<std::int32_t>{0, 3}, 1).lse;
  comparison.attends_first = {1};
  comparison.key_sets_lse["candidates"] = attention_over(inputs, row, std::vector<std::int32_t>{1, 2, 3}, 1).lse;
  float o[] = {5}, lse[] = {std::log(5.0f)};
  const record::Accuracy result = accuracy(inputs, {o, lse}, exact, comparison, nullptr);
  EXPECT_NEAR(*result.mass_recall, 0.5, 1e-6);
  ASSERT_EQ(result.mass_by_head.size(), 1u);
  EXPECT_NEAR(*result.mass_by_head[0], 0.5, 1e-6);
  EXPECT_NEAR(*result.key_sets.at("candidates").mass_mean, 0.9, 1e-6);
  EXPECT_NEAR(*result.mass_recall_non_sink, 0.4 / 0.9, 1e-6);
  EXPECT_NEAR(*result.rel_l2, 2.0 / 3, 1e-6);
  EXPECT_NEAR(*result.max_abs, 2, 1e-6);
  EXPECT_EQ(result.rows_sampled, 1);
}

TEST(TaskScore, CountsNearestCandidates) {
  const Shape shape{1, 2, 1, 2, 1, 1, true, Dtype::f32};
  float o[] = {1, 0.2f, -1, 3}, lse[] = {0, 0};
  const RetrievalTask task{{{0, 0, 0}, {0, 1, 0}}, {0, 0}, {2, 0, 0, 1}};
  EXPECT_DOUBLE_EQ(task_score(shape, {o, lse}, task), 0.5);
}

}  // namespace
}  // namespace attnscope
