// SPDX-License-Identifier: Apache-2.0
// The benchmark of the benchmark: stopping on hand-made series, clocks on work of known length.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <thread>

#include "harness/base/median.hpp"
#include "harness/measure/call_timer.hpp"
#include "harness/measure/cpu_cache.hpp"
#include "harness/measure/sampler.hpp"

namespace attnscope {
namespace {

/// Feeds a series, the last value for ever.
record::Time sample_series(const Sampling& sampling, const std::vector<double>& series) {
  std::size_t next = 0;
  return sample(sampling, [&] { return series[std::min(next++, series.size() - 1)]; });
}

TEST(Sampler, StopsAConstantSeriesAtTheMinimum) {
  const record::Time time = sample_series({.min_samples = 12}, {100});
  EXPECT_EQ(time.samples_ns.size(), 12u);
  EXPECT_EQ(time.stopped_because, "ci_width");
  EXPECT_EQ(time.median_ns, 100);
  EXPECT_EQ(time.ci_low_ns, 100);
  EXPECT_EQ(time.ci_high_ns, 100);
}

TEST(Sampler, IgnoresRareOutliersButKeepsThem) {
  std::vector<double> series(40, 100);
  for (const std::size_t i : {3, 11, 19}) series[i] = 5000;
  const record::Time time = sample_series({.min_samples = 30}, series);
  EXPECT_EQ(time.stopped_because, "ci_width");
  EXPECT_EQ(time.median_ns, 100);
  EXPECT_EQ(time.ci_high_ns, 100);
  EXPECT_EQ(std::ranges::count(time.samples_ns, 5000), 3);
}

TEST(Sampler, GoesOnUntilANoisySeriesIsKnownWellEnough) {
  std::mt19937 random(2);
  std::normal_distribution<double> normal(1000, 50);
  std::vector<double> series(2000);
  for (double& x : series) x = normal(random);
  const record::Time coarse = sample_series({.ci_width = 0.05, .max_samples = 2000}, series);
  const record::Time fine = sample_series({.ci_width = 0.01, .max_samples = 2000}, series);
  EXPECT_EQ(fine.stopped_because, "ci_width");
  EXPECT_LE(fine.ci_high_ns - fine.ci_low_ns, 0.01 * fine.median_ns);
  EXPECT_GT(fine.samples_ns.size(), 4 * coarse.samples_ns.size());
  EXPECT_NEAR(fine.median_ns, 1000, 10);
}

TEST(Sampler, DoesNotCallADriftingSeriesSettled) {
  std::vector<double> series;
  for (int i = 0; i < 300; ++i) series.push_back(100 * std::pow(1.02, i));
  const record::Time time = sample_series({.max_samples = 300}, series);
  EXPECT_EQ(time.stopped_because, "max_samples");
  EXPECT_EQ(time.samples_ns, series);
}

TEST(Sampler, StopsAtTheTimeCap) {
  double value = 1;
  const record::Time time = sample({.max_samples = 1000000, .max_seconds = 0.05}, [&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return value *= 1.5;
  });
  EXPECT_EQ(time.stopped_because, "max_time");
  EXPECT_GE(time.samples_ns.size(), 2u);
  EXPECT_LE(time.samples_ns.size(), 60u);
}

/// Waits for known times instead of attending, longer where the machine has others to serve.
class Waiting final : public Execution {
 public:
  void build(StageObserver& observer) override { wait(observer, "index", StageKind::build, 4); }
  void run(StageObserver& observer) override {
    waited_ns_.clear();
    wait(observer, "choose", StageKind::select, 2);
    wait(observer, "attend", StageKind::attend, 3);
    wait(observer, "choose", StageKind::select, 2);
  }
  std::uint64_t attended_pairs() const override { return 0; }
  void attended_keys(const Row&, std::vector<std::int32_t>&) const override {}
  std::vector<StageCost> costs() const override { return {}; }

  /// What the stage took in the last run.
  double waited_ns(const std::string& stage) const { return waited_ns_.at(stage); }

 private:
  void wait(StageObserver& observer, const char* stage, StageKind kind, int milliseconds) {
    using Clock = std::chrono::steady_clock;
    const StageScope scope(observer, stage, kind);
    const auto begin = Clock::now();
    auto now = begin;
    while (now < begin + std::chrono::milliseconds(milliseconds)) now = Clock::now();
    waited_ns_[stage] += std::chrono::duration<double, std::nano>(now - begin).count();
  }

  std::map<std::string, double> waited_ns_;
};

TEST(CpuTimer, ReportsAKnownDuration) {
  Waiting waiting;
  const auto timer = make_call_timer(Contract::warm, Backend::cpu, {waiting, {}, nullptr});
  std::vector<double> added_ns;
  for (int i = 0; i < 11; ++i) {
    const double call_ns = timer->time_call();
    EXPECT_GE(call_ns, 7e6);
    added_ns.push_back(call_ns - waiting.waited_ns("choose") - waiting.waited_ns("attend"));
  }
  EXPECT_GE(*std::ranges::min_element(added_ns), 0);
  EXPECT_LT(median(added_ns), 0.1e6);
}

TEST(CpuTimer, AddsUpStagesThatRecurAndKeepsTheirOrder) {
  Waiting waiting;
  const auto timer = make_call_timer(Contract::warm, Backend::cpu, {waiting, {}, nullptr});
  const auto stages = timer->time_stages(false);
  ASSERT_EQ(stages.size(), 2u);
  EXPECT_EQ(stages[0].name, "choose");
  EXPECT_EQ(stages[0].kind, StageKind::select);
  EXPECT_NEAR(stages[0].ns, waiting.waited_ns("choose"), 1e6);  // twice 2 ms
  EXPECT_EQ(stages[1].name, "attend");
  EXPECT_NEAR(stages[1].ns, waiting.waited_ns("attend"), 1e6);
  const auto build = timer->time_stages(true);
  ASSERT_EQ(build.size(), 1u);
  EXPECT_EQ(build[0].kind, StageKind::build);
}

TEST(Contract, GraphIsForGpusOnly) {
  const Waiting waiting;
  EXPECT_THAT(contract_unavailable(Contract::graph, Backend::cpu, waiting),
              testing::Optional(testing::HasSubstr("GPU")));
  EXPECT_EQ(contract_unavailable(Contract::graph, Backend::cuda, waiting), std::nullopt);
  EXPECT_EQ(contract_unavailable(Contract::warm, Backend::cpu, waiting), std::nullopt);
}

TEST(CpuCache, AFlushedBufferReadsSlowerThanACachedOne) {
  if (!can_flush_cpu_caches()) GTEST_SKIP() << "no clflushopt here";
  std::vector<std::uint64_t> data(1 << 15, 1);  // 256 KiB: in L2 when warm
  const auto read = [&] {
    const auto start = std::chrono::steady_clock::now();
    volatile std::uint64_t sum = 0;
    for (std::size_t i = 0; i < data.size(); i += 8) sum = sum + data[i];  // a word of each line: time goes to memory
    EXPECT_EQ(sum, data.size() / 8);
    return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count();
  };
  std::vector<double> warm, cold;
  for (int i = 0; i < 21; ++i) {
    read();
    warm.push_back(read());
    flush_cpu_caches(data.data(), data.size() * sizeof data[0]);
    cold.push_back(read());
  }
  EXPECT_GT(median(cold), 1.2 * median(warm));
}

}  // namespace
}  // namespace attnscope
