// SPDX-License-Identifier: Apache-2.0
#include "harness/record/processes.hpp"

#include <gtest/gtest.h>

#include "harness/record/testing.hpp"

namespace attnscope::record {
namespace {

Point process(std::vector<double> samples, double stage_ns) {
  Point point = testing::point("quest", 1024, 0.5, 100);
  point.time->process_samples = {std::ssize(samples)};
  point.time->samples_ns = std::move(samples);
  point.stages = {{.name = "attend", .kind = "attend", .median_ns = stage_ns, .kernels = {}, .counters = {}}};
  return point;
}

TEST(Processes, OneIsThePointItself) {
  const Point only = process({3, 1, 2}, 1);
  EXPECT_EQ(merge_processes(std::vector{only}), only);
  EXPECT_EQ(process_medians(*only.time), std::vector{2.0});
}

TEST(Processes, SeveralGiveAllSamplesAndTheMedianOfTheirMedians) {
  const Point merged =
      merge_processes(std::vector{process({10, 11, 12}, 5), process({20, 22}, 9), process({13, 13, 13, 50}, 6)});
  EXPECT_EQ(merged.time->samples_ns, (std::vector<double>{10, 11, 12, 20, 22, 13, 13, 13, 50}));
  EXPECT_EQ(merged.time->process_samples, (std::vector<std::int64_t>{3, 2, 4}));
  EXPECT_EQ(process_medians(*merged.time), (std::vector<double>{11, 21, 13}));
  EXPECT_EQ(merged.time->median_ns, 13);
  EXPECT_EQ(merged.time->ci_low_ns, 11);  // three medians are too few for an interval at 95 %: their range
  EXPECT_EQ(merged.time->ci_high_ns, 21);
  EXPECT_EQ(merged.stages[0].median_ns, 6);
}

TEST(Processes, AFailureInOneIsThePoints) {
  Point wrong = process({1}, 1);
  wrong.status = Status::wrong;
  wrong.reason = "o of row 3";
  wrong.time.reset();
  const Point merged = merge_processes(std::vector{process({1, 2}, 1), wrong});
  EXPECT_EQ(merged.status, Status::wrong);
  EXPECT_EQ(merged.reason, "in process 2: o of row 3");
  EXPECT_FALSE(merged.time);
  EXPECT_EQ(merge_processes(std::vector{wrong}), wrong);
}

}  // namespace
}  // namespace attnscope::record
