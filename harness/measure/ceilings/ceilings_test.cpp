// SPDX-License-Identifier: Apache-2.0
#include "harness/measure/ceilings/ceilings.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

#include "harness/measure/ceilings/cpu_loops.hpp"
#include "harness/measure/ceilings/summarize.hpp"

namespace attnscope {
namespace {

TEST(Summarize, TakesNearestRanks) {
  const Ceiling ceiling = summarize({10, 1, 2, 3, 4, 5, 6, 7, 8, 9}, "how");
  EXPECT_EQ(ceiling.median, 5);
  EXPECT_EQ(ceiling.low, 1);
  EXPECT_EQ(ceiling.high, 9);
  EXPECT_EQ(ceiling.samples, 10);
}

TEST(Summarize, OneSampleIsEveryQuantile) {
  const Ceiling ceiling = summarize({3}, "");
  EXPECT_EQ(ceiling.low, 3);
  EXPECT_EQ(ceiling.median, 3);
  EXPECT_EQ(ceiling.high, 3);
}

TEST(CpuLoops, ReadVisitsEveryElementOfAwkwardLengths) {
  for (const std::int64_t count : {0, 1, 7, 63, 64, 65, 1000}) {
    const std::vector<float> ones(static_cast<std::size_t>(count), 1.0f);
    EXPECT_EQ(read_loop(ones.data(), count), static_cast<float>(count));
  }
}

TEST(CpuLoops, MultiplyAddConvergesToOneInEveryLaneOfEveryAccumulator) {
  // x ← 0.75 x + 0.25 moves x by a quarter of its distance from 1, until that rounds away: below half an ulp, so at a
  // distance of at most 2 ulp = 2⁻²². 200 steps are enough from any start below 2^80.
  const auto lanes = static_cast<double>(kFmaAccumulators * vector_lanes_f32());
  EXPECT_NEAR(multiply_add_loop(200), lanes, lanes * 0x1p-22);
}

TEST(CpuCeilings, QuickMeasuresEveryFigureWithinSeconds) {
  const auto start = std::chrono::steady_clock::now();
  const Ceilings ceilings = measure_cpu_ceilings(Effort::quick);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  for (const char* name : {"fma_f32_1t_flops_per_s", "fma_f32_flops_per_s", "read_1t_bytes_per_s", "read_bytes_per_s",
                           "copy_bytes_per_s"}) {
    ASSERT_TRUE(ceilings.contains(name)) << name;
    const Ceiling& ceiling = ceilings.at(name);
    EXPECT_GT(ceiling.median, 1e7) << name;
    EXPECT_LE(ceiling.low, ceiling.median) << name;
    EXPECT_GE(ceiling.high, ceiling.median) << name;
    EXPECT_NE(ceiling.how, "") << name;
  }
  EXPECT_LT(seconds.count(), 20) << "aims at 3 s on an idle machine";
}

}  // namespace
}  // namespace attnscope
