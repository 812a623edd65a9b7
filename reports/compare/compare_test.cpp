// SPDX-License-Identifier: Apache-2.0
#include "reports/compare/compare.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "harness/record/testing.hpp"

namespace attnscope::reports {
namespace {

using record::Point;
using record::Record;
using record::Status;
using ::testing::HasSubstr;

Record one(const std::vector<double>& samples) {
  Record record{.context = record::testing::context(), .points = {record::testing::point("quest", 65536, 0.0625, 100)}};
  record.points[0].time->samples_ns = samples;
  record.points[0].time->median_ns = samples[samples.size() / 2];
  return record;
}

std::vector<double> noisy(double median, double spread, std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::lognormal_distribution<double> draw(0, spread);
  std::vector<double> samples(count);
  std::ranges::generate(samples, [&] { return median * draw(random); });
  return samples;
}

PointComparison judge(const Record& base, const Record& current, const CompareOptions& options = {}) {
  const auto points = compare(base, current, options);
  EXPECT_EQ(points.size(), 1u);
  return points.at(0);
}

TEST(Compare, ARunWithItselfIsTheSameEverywhere) {
  const Record record = record::testing::record();
  const auto points = compare(record, record);
  EXPECT_EQ(points.size(), 12u);  // the point that failed in both is left out
  for (const PointComparison& point : points) EXPECT_EQ(point.verdict, Verdict::same) << point.key << point.reason;
  EXPECT_EQ(exit_code(points, true), 0);
  EXPECT_TRUE(incomparable(record, record).empty());
}

TEST(Compare, TwoRunsOfTheSameBuildShowNoChange) {
  int findings = 0;
  for (unsigned seed = 0; seed < 500; ++seed) {
    const Verdict verdict =
        judge(one(noisy(1000, 0.03, 20, 2 * seed)), one(noisy(1000, 0.03, 20, 2 * seed + 1))).verdict;
    findings += verdict == Verdict::slower || verdict == Verdict::faster;
  }
  EXPECT_EQ(findings, 0);
}

TEST(Compare, FindsAChangeWellAboveTheNoise) {
  for (unsigned seed = 0; seed < 100; ++seed) {
    const Record base = one(noisy(1000, 0.01, 20, 2 * seed));
    const Record slow = one(noisy(1100, 0.01, 20, 2 * seed + 1));
    EXPECT_EQ(judge(base, slow).verdict, Verdict::slower);
    EXPECT_EQ(judge(slow, base).verdict, Verdict::faster);
  }
}

TEST(Compare, AChangeBelowTheMinimumEffectIsTheSameHoweverSignificant) {
  const Record base = one(noisy(1000, 0.001, 100, 1));
  const Record slow = one(noisy(1020, 0.001, 100, 2));
  EXPECT_EQ(judge(base, slow).verdict, Verdict::same);
  EXPECT_EQ(judge(base, slow, {.min_effect = 0.01}).verdict, Verdict::slower);
}

TEST(Compare, ALargeChangeInFewSamplesIsAmbiguous) {
  EXPECT_EQ(judge(one({100, 101, 102, 103}), one({200, 201, 202, 203})).verdict, Verdict::ambiguous);
}

TEST(Compare, ChangesWithinTheDriftOfASeriesAreAmbiguous) {
  std::vector<double> drifting;
  for (int i = 0; i < 40; ++i) drifting.push_back(1000 + 5 * i);  // by 20 % in all
  const Record base = one(noisy(1000, 0.001, 40, 3));
  const PointComparison found = judge(base, one(drifting));
  EXPECT_EQ(found.verdict, Verdict::ambiguous);
  EXPECT_NEAR(*found.effect, 0.19, 0.01);
}

TEST(Compare, AChangeThatSparesTheFastestSamplesIsInterference) {
  std::vector<double> base;
  std::vector<double> disturbed;
  for (int i = 0; i < 60; ++i) {  // undisturbed calls take 1000, disturbed ones 5000
    base.push_back(i % 4 == 0 ? 5000 + i : 1000 + i % 7);
    disturbed.push_back(i % 4 != 0 ? 5000 + i : 1000 + i % 7);
  }
  const PointComparison found = judge(one(base), one(disturbed));
  EXPECT_EQ(found.verdict, Verdict::ambiguous);
  EXPECT_THAT(found.reason, HasSubstr("interference"));
}

TEST(Compare, ChangesThatTheWholeMachineShowsAreAmbiguous) {
  const Record base = one(noisy(1000, 0.005, 30, 4));
  Record slow = one(noisy(1100, 0.005, 30, 5));
  EXPECT_EQ(judge(base, slow).verdict, Verdict::slower);
  for (const char* name : {"fma_f32_flops_per_s", "read_bytes_per_s"}) {
    auto& ceiling = slow.context["ceilings"]["cpu"][name]["median"];
    ceiling = ceiling.get<double>() / 1.12;
  }
  EXPECT_EQ(judge(base, slow).verdict, Verdict::ambiguous);
}

TEST(Compare, AFailureOfWhatRanBeforeIsWrongNow) {
  const Record base = one(noisy(1000, 0.01, 20, 6));
  for (const Status status : {Status::wrong, Status::crashed, Status::oom, Status::timeout}) {
    Record current = base;
    current.points[0].status = status;
    current.points[0].reason = "why";
    current.points[0].time.reset();
    const PointComparison found = judge(base, current);
    EXPECT_EQ(found.verdict, Verdict::wrong_now);
    EXPECT_THAT(found.reason, HasSubstr("why"));
    EXPECT_EQ(exit_code({found}, false), 4);
    EXPECT_EQ(judge(current, base).verdict, Verdict::added);
  }
}

TEST(Compare, AccuracyMayMoveWithinTheTolerancesOfBothRuns) {
  const Record base = one(noisy(1000, 0.01, 20, 7));  // rel_l2 0.1, tolerance 0.004
  Record current = base;
  *current.points[0].accuracy.rel_l2 += 0.0079;
  EXPECT_EQ(judge(base, current).verdict, Verdict::same);
  *current.points[0].accuracy.rel_l2 += 0.0002;
  EXPECT_EQ(judge(base, current).verdict, Verdict::wrong_now);
  EXPECT_EQ(judge(current, base).verdict, Verdict::same);  // better is no fault
}

TEST(Compare, PointsOfOneRecordOnlyAreMissingOrNew) {
  const Record base = record::testing::record();
  Record current = base;
  current.points.erase(current.points.begin());
  EXPECT_EQ(compare(base, current).front().verdict, Verdict::missing);
  EXPECT_EQ(compare(current, base).back().verdict, Verdict::added);
  EXPECT_EQ(exit_code(compare(base, current), false), 0);
  EXPECT_EQ(exit_code(compare(base, current), true), 5);
}

TEST(Compare, TheWorstFindingDecidesTheExitCode) {
  const auto code = [](std::vector<Verdict> verdicts, bool strict) {
    std::vector<PointComparison> points;
    for (const Verdict verdict : verdicts) points.push_back({.key = "k", .verdict = verdict, .reason = ""});
    return exit_code(points, strict);
  };
  EXPECT_EQ(code({Verdict::same, Verdict::faster, Verdict::added}, true), 0);
  EXPECT_EQ(code({Verdict::ambiguous}, false), 0);
  EXPECT_EQ(code({Verdict::ambiguous}, true), 5);
  EXPECT_EQ(code({Verdict::ambiguous, Verdict::slower}, true), 1);
  EXPECT_EQ(code({Verdict::slower, Verdict::wrong_now}, false), 4);
}

TEST(Incomparable, AnotherMachineOtherInputsOrAnotherContract) {
  const Record base = one({1, 2, 3});
  const auto reason = [&](const Record& current) {
    const auto reasons = incomparable(base, current);
    return reasons.empty() ? std::string("comparable") : reasons.front();
  };
  Record current = base;
  current.context["machine"]["cpu_model"] = "Other CPU";
  EXPECT_THAT(reason(current), HasSubstr("Other CPU"));
  current = base;
  current.points[0].workload.hash = "def";
  EXPECT_THAT(reason(current), HasSubstr("other input bytes"));
  current = base;
  current.points[0].contract = "cold";
  EXPECT_THAT(reason(current), HasSubstr("contract: warm in the base, cold"));
  current = base;
  current.points[0].method = "streaming";
  EXPECT_THAT(reason(current), HasSubstr("no point in common"));
}

TEST(Incomparable, AGpuMattersOnlyWhereSomethingRanOnIt) {
  Record base = one({1, 2, 3});
  base.context["gpus"] = {{{"name", "GPU A"}}};
  Record current = base;
  current.context["gpus"] = {{{"name", "GPU B"}}};
  EXPECT_TRUE(incomparable(base, current).empty());
  base.points[0].backend = current.points[0].backend = Backend::cuda;
  EXPECT_THAT(incomparable(base, current).at(0), HasSubstr("GPU A"));
}

TEST(Busy, IsALoadBeyondTheNumberOfCpus) {
  Record record = one({1, 2, 3});
  EXPECT_EQ(busy(record), std::nullopt);
  record.context["load_avg"] = {1.5, 0, 0};
  EXPECT_EQ(busy(record), std::nullopt);
  record.context["load_avg"] = {8.6, 0, 0};
  EXPECT_EQ(busy(record), "the machine was busy when it started: load 8.6 on 2 CPUs");
}

TEST(CompareOutput, NamesVerdictsAndCountsThem) {
  Record current = record::testing::record();
  for (double& sample : current.points[1].time->samples_ns) sample *= 2;
  const auto points = compare(record::testing::record(), current);
  EXPECT_THAT(
      comparison_text(points),
      HasSubstr(
          "SLOWER   quest budget 4096 (cpu), decode, llm, 8/2 heads, d128, bf16, N 64k, warm        ratio 2.000 ["));
  EXPECT_THAT(comparison_text(points), HasSubstr("11 SAME, 1 SLOWER\n"));
  const nlohmann::json json = comparison_json(points);
  EXPECT_EQ(json["counts"], (nlohmann::json{{"SAME", 11}, {"SLOWER", 1}}));
  EXPECT_EQ(json["points"][1]["verdict"], "SLOWER");
  EXPECT_DOUBLE_EQ(json["points"][1]["ratio"], 2);
}

}  // namespace
}  // namespace attnscope::reports
