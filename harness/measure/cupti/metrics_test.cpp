// SPDX-License-Identifier: Apache-2.0
// Every metric name and pass count of the plans, against the database of the installed CUPTI. Needs no GPU.
#include "harness/measure/cupti/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "harness/base/error.hpp"
#include "harness/measure/cupti/profiler.hpp"
#if ATTNSCOPE_CUDA
#include "harness/measure/cupti/plan_check.hpp"
#include "harness/measure/cupti/range_profiler.hpp"
#endif

namespace attnscope {
namespace {

const Counter& counter(const Plan& plan, const std::string& name) {
  return *std::ranges::find(plan.counters, name, &Counter::name);
}

TEST(CounterPlans, CoreNamesTheTensorCounterOfTheInputType) {
  const Plan bf16 = counter_plans("GH100", Dtype::bf16).front();
  const Plan f16 = counter_plans("GH100", Dtype::f16).front();
  EXPECT_EQ(counter(bf16, "tensor_flops").terms.front().metric, "sm__ops_path_tensor_src_bf16_dst_fp32.sum");
  EXPECT_EQ(counter(f16, "tensor_flops").terms.size(), 2u);
}

TEST(CounterPlans, FusedMultiplyAddsCountTwiceAndPackedHalvesTwiceAgain) {
  const Plan fp = counter_plans("GA100", Dtype::bf16).back();
  std::map<std::string, double> weights;
  for (const Counter::Term& term : counter(fp, "fp_flops").terms) weights[term.metric] = term.weight;
  const auto weight = [&](const std::string& operation) {
    return weights.at("smsp__sass_thread_inst_executed_op_" + operation + "_pred_on.sum");
  };
  EXPECT_EQ(weight("fadd"), 1);
  EXPECT_EQ(weight("ffma"), 2);
  EXPECT_EQ(weight("dfma"), 2);
  EXPECT_EQ(weight("hmul"), 2);
  EXPECT_EQ(weight("hfma"), 4);
}

TEST(CounterPlans, IntegratedGpusHaveNoDramCounters) {
  const Plan core = counter_plans("GB20B", Dtype::bf16).front();
  for (const Counter& each : core.counters) EXPECT_EQ(each.name.find("dram"), std::string::npos) << each.name;
}

TEST(CounterPlans, ChipsBelowSm80AreRefusedByName) {
  EXPECT_THROW(counter_plans("TU102", Dtype::bf16), MachineError);
  EXPECT_THROW(counter_plans("", Dtype::bf16), MachineError);
}

TEST(ExecutedFlops, AddsEveryTypeAndNeedsBothPlans) {
  EXPECT_EQ(executed_flops({{"tensor_flops", 8}, {"tensor_bf16_flops", 4}, {"fp_flops", 2}, {"fp16_flops", 1}}), 14);
  EXPECT_EQ(executed_flops({{"tensor_flops", 8}}), std::nullopt);
}

#if ATTNSCOPE_CUDA
TEST(CounterPlans, EveryPlanIsOnePassOfKnownMetricsOnEveryChip) {
  std::vector<std::string> chips;
  try {
    chips = supported_chips();
  } catch (const MachineError& error) {
    GTEST_SKIP() << error.what();
  }
  EXPECT_THAT(chips, testing::IsSupersetOf({"GA100", "AD102", "GH100", "GB100", "GB202"}));
  int checked = 0;
  for (const std::string& chip : chips) {
    if (chip.starts_with("GV") || chip.starts_with("TU")) continue;  // below sm_80
    for (const Dtype dtype : {Dtype::f32, Dtype::f16, Dtype::bf16})
      for (const Plan& plan : counter_plans(chip, dtype)) {
        const PlanCheck check = check_plan(chip, plan);
        EXPECT_THAT(check.unknown, testing::IsEmpty()) << chip << ' ' << plan.name << ' ' << to_string(dtype);
        EXPECT_EQ(check.passes, 1u) << chip << ' ' << plan.name << ' ' << to_string(dtype);
        ++checked;
      }
  }
  EXPECT_GE(checked, 100);
}

TEST(CounterPlans, AnUnknownMetricIsNamed) {
  try {
    supported_chips();
  } catch (const MachineError& error) {
    GTEST_SKIP() << error.what();
  }
  const Plan plan{"broken", {{"x", Rollup::sum, {{"sm__no_such_metric.sum"}}}}};
  EXPECT_THAT(check_plan("GH100", plan).unknown, testing::ElementsAre("sm__no_such_metric.sum"));
}

TEST(Accumulate, AddsSumsAndWeighsRatesByTime) {
  const Plan plan{"core",
                  {{"gpu_time_ns", Rollup::sum, {}}, {"bytes", Rollup::sum, {}}, {"clock", Rollup::time_mean, {}}}};
  Counters stage;
  accumulate(stage, {{"gpu_time_ns", 10}, {"bytes", 5}, {"clock", 100}}, plan);
  accumulate(stage, {{"gpu_time_ns", 30}, {"bytes", 7}, {"clock", 200}}, plan);
  EXPECT_EQ(stage, (Counters{{"gpu_time_ns", 40}, {"bytes", 12}, {"clock", 175}}));
}
#endif

}  // namespace
}  // namespace attnscope
