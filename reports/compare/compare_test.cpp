// SPDX-License-Identifier: Apache-2.0
#include "reports/compare/compare.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "harness/record/testing.hpp"
#include "reports/compare/comparison_figure.hpp"
#include "reports/compare/statistics.hpp"

namespace attnscope::reports {
namespace {

using record::Point;
using record::Record;
using record::Status;
using ::testing::HasSubstr;

Record one(const std::vector<double>& samples) {
  Record record{.context = record::testing::context(), .points = {record::testing::point("quest", 65536, 0.0625, 100)}};
  record.points[0].time->samples_ns = samples;
  record.points[0].time->process_samples = {std::ssize(samples)};
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

/// A record of `count` points in `processes` processes of ten samples each, as a machine gives them: every process has
/// a luck of its own, `process_spread` as standard deviation of its logarithm, and a share `unlucky` takes a fifth
/// more.
Record run_of(double median_ns, std::size_t count, std::size_t processes, double process_spread, std::mt19937& random,
              double unlucky = 0.1) {
  std::lognormal_distribution<double> luck(0, process_spread);
  std::lognormal_distribution<double> noise(0, 0.01);
  std::bernoulli_distribution bad_luck(unlucky);
  Record record{.context = record::testing::context(), .points = {}};
  for (std::size_t i = 0; i < count; ++i) {
    Point point = record::testing::point("quest", static_cast<std::int64_t>(1024 * (i + 1)), 0.0625, 100);
    point.time->samples_ns.clear();
    point.time->process_samples.assign(processes, 10);
    for (std::size_t process = 0; process < processes; ++process) {
      const double level = median_ns * luck(random) * (bad_luck(random) ? 1.2 : 1);
      for (int sample = 0; sample < 10; ++sample) point.time->samples_ns.push_back(level * noise(random));
    }
    record.points.push_back(point);
  }
  return record;
}

bool finds(const std::vector<PointComparison>& points, Verdict verdict) {
  return std::ranges::find(points, verdict, &PointComparison::verdict) != points.end();
}

TEST(Compare, TwoRunsWhoseProcessesDifferShowNoChange) {
  // 14 points, nothing changed, processes that scatter by 10 %: at most alpha = 5 % of the comparisons may find
  // anything.
  std::mt19937 random(8);
  constexpr int kTrials = 1000;
  int false_findings = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    const auto points = compare(run_of(1000, 14, 8, 0.1, random), run_of(1000, 14, 8, 0.1, random), {.alpha = 0.05});
    false_findings += finds(points, Verdict::slower) || finds(points, Verdict::faster);
  }
  EXPECT_LE(false_findings, 50 + 4 * 7);  // four standard deviations of the binomial above its mean
}

TEST(Compare, SamplesTakenForIndependentWouldShowChangesThatAreNone) {
  std::mt19937 random(9);
  int false_findings = 0;
  for (int trial = 0; trial < 100; ++trial) {
    const Record base = run_of(1000, 1, 2, 0.1, random);
    const Record current = run_of(1000, 1, 2, 0.1, random);
    false_findings += mann_whitney_p(base.points[0].time->samples_ns, current.points[0].time->samples_ns) < 0.01;
    EXPECT_EQ(judge(base, current).verdict == Verdict::slower, false);  // two processes can say nothing
  }
  EXPECT_GT(false_findings, 30);
}

TEST(Compare, FindsATenthAmongManyPoints) {
  std::mt19937 random(10);
  int found = 0;
  constexpr int kTrials = 200;
  for (int trial = 0; trial < kTrials; ++trial) {
    const Record base = run_of(1000, 14, 10, 0.02, random, 0);
    Record current = run_of(1000, 14, 10, 0.02, random, 0);
    for (double& sample : current.points[5].time->samples_ns) sample *= 1.1;
    found += compare(base, current)[5].verdict == Verdict::slower;
  }
  EXPECT_GE(found, 0.95 * kTrials);
}

TEST(Compare, PointsOfOneProcessEachAreJudgedByTheirScatter) {
  std::mt19937 random(11);
  int false_findings = 0;
  for (int trial = 0; trial < 200; ++trial) {
    const auto points = compare(run_of(1000, 14, 1, 0.1, random), run_of(1000, 14, 1, 0.1, random));
    false_findings += finds(points, Verdict::slower);
  }
  EXPECT_LE(false_findings, 200 * 0.1);
  const Record base = run_of(1000, 14, 1, 0.01, random);
  Record current = base;
  for (double& sample : current.points[3].time->samples_ns) sample *= 1.5;
  EXPECT_EQ(compare(base, current)[3].verdict, Verdict::slower);
}

TEST(Compare, ChangesThatOtherWorkCanHaveMadeAreAmbiguous) {
  const Record base = one(noisy(1000, 0.005, 30, 12));
  Record slow = one(noisy(1100, 0.005, 30, 13));
  slow.points[0].time->process_others = {0.05};  // stretches by 1/0.95
  EXPECT_EQ(judge(base, slow).verdict, Verdict::slower);
  slow.points[0].time->process_others = {0.095};  // by 1/0.905
  EXPECT_THAT(judge(base, slow).reason, HasSubstr("within the noise"));
  slow.points[0].time->process_others = {0.4};
  EXPECT_EQ(judge(base, slow).verdict, Verdict::ambiguous);
  EXPECT_THAT(judge(slow, base).reason, HasSubstr("other work took 40"));
}

TEST(Compare, DisturbedProcessesDoNotCount) {
  std::mt19937 random(14);
  const Record base = run_of(1000, 1, 12, 0.01, random);
  Record current = run_of(1000, 1, 12, 0.01, random);
  record::Time& time = *current.points[0].time;
  time.process_others.assign(12, 0.01);
  for (std::size_t process = 0; process < 9; ++process) {
    time.process_others[process] = 0.8;
    for (std::size_t i = 0; i < 10; ++i) time.samples_ns[10 * process + i] *= 50;
  }
  EXPECT_EQ(judge(base, current).verdict, Verdict::same);
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

TEST(ComparisonFigure, ShowsTheMostImportantOnTop) {
  std::vector<PointComparison> points{
      {.label = "even", .verdict = Verdict::same, .ratio = 1.0, .low = 0.9, .high = 1.1},
      {.label = "slow", .verdict = Verdict::slower, .ratio = 1.2, .low = 1.1, .high = 1.3},
      {.label = "gone", .verdict = Verdict::missing},
      {.label = "slower", .verdict = Verdict::slower, .ratio = 2.0, .low = 1.9, .high = 2.1}};
  sort_by_importance(points);
  EXPECT_EQ(points[0].label, "slower");
  EXPECT_EQ(points[1].label, "slow");
  EXPECT_EQ(points[3].label, "even");
  const Figure figure = comparison_figure(points);
  EXPECT_EQ(figure.y.categories, (std::vector<std::string>{"even", "slow", "slower"}));  // upwards
  for (const Series& series : figure.series)
    for (const DataPoint& point : series.points)
      if (point.source) {
        EXPECT_EQ(point.x, *points[*point.source].ratio);
      }
  EXPECT_EQ(comparison_figure(points, 1).y.categories.size(), 1u);
}

}  // namespace
}  // namespace attnscope::reports
