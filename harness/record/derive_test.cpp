// SPDX-License-Identifier: Apache-2.0
#include "harness/record/derive.hpp"

#include <gtest/gtest.h>

#include "harness/record/testing.hpp"

namespace attnscope::record {
namespace {

TEST(Derive, RatesAreFactsOverTheMedianTime) {
  Record record{.context = testing::context(), .points = {testing::point("quest", 1024, 0.5, 1000)}};
  Point& point = record.points[0];
  point.flops = {.dense = 8000, .useful = 4000, .select = 1000, .executed = 10000};
  point.bytes = {.model = 500, .dram_read = 600, .dram_write = 400};
  const Derived derived = derive(record, point);
  EXPECT_DOUBLE_EQ(*derived.useful_flops_per_s, 4e9);  // 4000 FLOPs in 1 µs
  EXPECT_DOUBLE_EQ(*derived.executed_flops_per_s, 1e10);
  EXPECT_DOUBLE_EQ(*derived.model_bytes_per_s, 5e8);
  EXPECT_DOUBLE_EQ(*derived.dram_bytes_per_s, 1e9);
  EXPECT_DOUBLE_EQ(*derived.waste, 2.0);
  EXPECT_DOUBLE_EQ(*derived.dram_over_model, 2.0);
  EXPECT_DOUBLE_EQ(*derived.intensity, 10.0);
  EXPECT_DOUBLE_EQ(*derived.flop_share, 0.04);        // of 1e11
  EXPECT_DOUBLE_EQ(*derived.bandwidth_share, 0.025);  // of 2e10
  EXPECT_EQ(derived.speedup_over_dense, std::nullopt);
}

TEST(Derive, AbsentFactsGiveAbsentQuotients) {
  Record record{.context = nlohmann::json::object(), .points = {testing::point("quest", 1024, 0.5, 1000)}};
  record.points[0].time.reset();
  const Derived derived = derive(record, record.points[0]);
  EXPECT_EQ(derived.useful_flops_per_s, std::nullopt);
  EXPECT_EQ(derived.waste, std::nullopt);
  EXPECT_EQ(derived.flop_share, std::nullopt);
  EXPECT_TRUE(derived.intensity);
}

TEST(Derive, ThereIsNoMatrixCeilingForF32OnAGpu) {
  Record record{.context = {{"ceilings", {{"gpu", {{"matmul_bf16_flops_per_s", {{"median", 8e14}}}}}}}}, .points = {}};
  Point point = testing::point("dense", 1024, 1, 1000);
  point.backend = Backend::cuda;
  EXPECT_EQ(device_ceilings(record, point).flops_per_s, 8e14);
  point.shape.dtype = Dtype::f32;
  EXPECT_EQ(device_ceilings(record, point).flops_per_s, std::nullopt);
}

class Baseline : public ::testing::Test {
 protected:
  Point quest_ = testing::point("quest", 1024, 0.5, 500);
  Point dense_ = testing::point("dense", 1024, 1.0, 1000);

  std::optional<double> speedup(const std::vector<Point>& others) const {
    Record record{.context = testing::context(), .points = others};
    record.points.push_back(quest_);
    return derive(record, record.points.back()).speedup_over_dense;
  }
};

TEST_F(Baseline, IsTheDensePointOfTheSameTask) { EXPECT_DOUBLE_EQ(*speedup({dense_}), 2.0); }

TEST_F(Baseline, IsTheFastestOfItsDeviceKind) {
  Point gpu = dense_;
  gpu.backend = Backend::cuda;
  gpu.time->median_ns = 1;
  Point quick = dense_;
  quick.time->median_ns = 750;
  EXPECT_DOUBLE_EQ(*speedup({dense_, gpu, quick}), 1.5);
}

TEST_F(Baseline, IsNeverTheReferenceNorAFailureNorAnotherTask) {
  std::vector<Point> others(7, dense_);
  others[0].backend = Backend::reference;
  others[1].status = Status::timeout;
  others[2].time.reset();
  others[3].workload.hash = "other bytes";
  others[4].contract = "cold";
  others[5].shape.kv_len = 2048;
  others[6].phase = Phase::prefill;
  EXPECT_EQ(speedup(others), std::nullopt);
}

TEST(Derive, OfAllIsDeriveOfEach) {
  const Record record = testing::record();
  const std::vector<Derived> all = derive_all(record);
  ASSERT_EQ(all.size(), record.points.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Derived one = derive(record, record.points[i]);
    EXPECT_EQ(all[i].speedup_over_dense, one.speedup_over_dense) << i;
    EXPECT_EQ(all[i].flop_share, one.flop_share) << i;
  }
  EXPECT_DOUBLE_EQ(*all[1].speedup_over_dense, 8);
}

}  // namespace
}  // namespace attnscope::record
