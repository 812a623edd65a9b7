// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <map>

#include "harness/record/testing.hpp"
#include "reports/formats/formats.hpp"

namespace attnscope::reports {
namespace {

using nlohmann::json;
using record::Kernel;
using record::Point;
using record::Record;
using record::Stage;

Kernel kernel(const std::string& name, double start, double duration, std::int64_t stream = 7) {
  return {.name = name,
          .start_ns = start,
          .duration_ns = duration,
          .grid = {1, 1, 1},
          .block = {32, 1, 1},
          .registers = 0,
          .static_shared_bytes = 0,
          .dynamic_shared_bytes = 0,
          .stream = stream};
}

Stage stage(const std::string& kind, std::vector<Kernel> kernels) {
  return {.name = kind,
          .kind = kind,
          .median_ns = 1000,
          .flops = 1,
          .bytes = 2,
          .kernels = std::move(kernels),
          .counters = {{"dram_read", 5}}};
}

std::vector<json> events(std::vector<Stage> stages, const char* phase) {
  Record record{.context = record::testing::context(), .points = {record::testing::point("quest", 1024, 0.5, 9000)}};
  record.points[0].stages = std::move(stages);
  std::vector<json> out;
  const json trace = json::parse(chrome_trace(record));
  for (const json& event : trace["traceEvents"])
    if (event["ph"] == phase) out.push_back(event);
  return out;
}

// Perfetto's rule: two slices of one track either nest or do not touch.
void expect_nested(const std::vector<json>& slices) {
  for (const json& a : slices)
    for (const json& b : slices) {
      if (a == b || a["tid"] != b["tid"] || a["pid"] != b["pid"]) continue;
      const double a0 = a["ts"], a1 = a0 + a["dur"].get<double>();
      const double b0 = b["ts"], b1 = b0 + b["dur"].get<double>();
      constexpr double kEps = 1e-9;
      const bool apart = a1 <= b0 + kEps || b1 <= a0 + kEps;
      const bool inside = (a0 >= b0 - kEps && a1 <= b1 + kEps) || (b0 >= a0 - kEps && b1 <= a1 + kEps);
      EXPECT_TRUE(apart || inside) << a << b;
    }
}

const json& find(const std::vector<json>& list, const std::string& name) {
  for (const json& event : list)
    if (event["name"] == name) return event;
  throw std::out_of_range(name);
}

TEST(Trace, KernelsLieInTheirStageInMicroseconds) {
  const auto slices = events({stage("select", {kernel("score", 100, 400), kernel("topk", 600, 200)}),
                              stage("attend", {kernel("split", 900, 1000)})},
                             "X");
  ASSERT_EQ(slices.size(), 5u);
  EXPECT_DOUBLE_EQ(find(slices, "score")["ts"], 0.1);
  EXPECT_DOUBLE_EQ(find(slices, "score")["dur"], 0.4);
  EXPECT_DOUBLE_EQ(find(slices, "select")["ts"], 0.1);
  EXPECT_DOUBLE_EQ(find(slices, "select")["dur"], 0.7);
  expect_nested(slices);
}

TEST(Trace, OneTrackPerStreamAndOneForBuilding) {
  const auto list = std::vector<Stage>{stage("build", {kernel("bounds", 0, 50)}),
                                       stage("attend", {kernel("a", 0, 10, 7), kernel("b", 0, 10, 8)})};
  std::map<std::string, int> tracks;
  for (const json& event : events(list, "M"))
    if (event["name"] == "thread_name") ++tracks[event["args"]["name"]];
  EXPECT_EQ(tracks, (std::map<std::string, int>{{"build, stream 7", 1}, {"stream 7", 1}, {"stream 8", 1}}));
  expect_nested(events(list, "X"));
}

TEST(Trace, StagesThatRecurBecomeSeveralSlices) {
  const auto slices = events({stage("select", {kernel("s1", 0, 10), kernel("s2", 40, 10)}),
                              stage("attend", {kernel("a1", 20, 10), kernel("a2", 60, 10)})},
                             "X");
  EXPECT_EQ(slices.size(), 8u);  // four kernels in four runs
  expect_nested(slices);
}

TEST(Trace, KernelsThatOverlapAreShiftedAndSaySo) {
  const auto slices =
      events({stage("select", {kernel("first", 0, 100)}), stage("attend", {kernel("second", 80, 100)})}, "X");
  EXPECT_DOUBLE_EQ(find(slices, "second")["ts"], 0.1);
  EXPECT_DOUBLE_EQ(find(slices, "second")["args"]["start_ns"], 80);
  expect_nested(slices);
}

TEST(Trace, WithoutKernelsTheStagesFollowEachOther) {
  const auto slices = events({stage("select", {}), stage("attend", {})}, "X");
  ASSERT_EQ(slices.size(), 2u);
  EXPECT_DOUBLE_EQ(slices[1]["ts"], 1.0);
  expect_nested(slices);
}

TEST(Trace, APointWithoutStagesIsOneCall) {
  const auto slices = events({}, "X");
  ASSERT_EQ(slices.size(), 1u);
  EXPECT_DOUBLE_EQ(slices[0]["dur"], 9.0);
}

TEST(Trace, CountersRiseAndFallWithTheirStage) {
  const auto counters = events({stage("attend", {kernel("a", 100, 200)})}, "C");
  ASSERT_EQ(counters.size(), 2u);
  EXPECT_EQ(counters[0]["args"]["value"], 5);
  EXPECT_DOUBLE_EQ(counters[0]["ts"], 0.1);
  EXPECT_EQ(counters[1]["args"]["value"], 0);
  EXPECT_DOUBLE_EQ(counters[1]["ts"], 0.3);
}

TEST(Trace, EveryPointThatIsOkIsANamedProcess) {
  const Record record = record::testing::record();
  std::map<int, std::string> processes;
  const json trace = json::parse(chrome_trace(record));
  for (const json& event : trace["traceEvents"])
    if (event["name"] == "process_name") processes[event["pid"]] = event["args"]["name"];
  EXPECT_EQ(processes.size(), 12u);
  EXPECT_EQ(processes.at(2), "quest budget 4096 (cpu), decode, llm, 8/2 heads, d128, bf16, N 64k, warm");
}

}  // namespace
}  // namespace attnscope::reports
