// SPDX-License-Identifier: Apache-2.0
// The profiler on kernels of known work. Needs a GPU.
#include "harness/measure/cupti/profiler.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/device/buffer.hpp"
#include "harness/device/device_info.hpp"
#include "harness/device/l2_flush.hpp"
#include "harness/device/stream.hpp"
#include "harness/measure/ceilings/known_work.hpp"
#include "harness/measure/cupti/calibration.hpp"
#include "harness/measure/cupti/probe.hpp"

namespace attnscope {
namespace {

constexpr int kMatrix = 1024;
constexpr std::int64_t kCopyBytes = std::int64_t{1} << 30;
constexpr double kMatmulFlops = 2.0 * kMatrix * kMatrix * kMatrix;

/// A call of two stages, one of which occurs twice: copy, matmul, copy.
class TwoStages {
 public:
  TwoStages() { operands_.zero(); }

  void operator()(StageObserver& observer) {
    copy(observer);
    {
      const StageScope stage(observer, "product", StageKind::attend);
      auto* a = operands_.as<std::uint16_t>();
      matmul_bf16(a, a + kMatrix * kMatrix, product_.as<float>(), kMatrix, kMatrix, kMatrix, stream_.handle());
    }
    copy(observer);
  }

  void flush() { flush_(stream_.handle()); }

 private:
  void copy(StageObserver& observer) {
    const StageScope stage(observer, "copy", StageKind::select);
    copy_memory(target_.data(), source_.data(), kCopyBytes, stream_.handle());
  }

  Stream stream_;
  L2Flush flush_;
  Buffer operands_{Space::device, 4 * kMatrix* kMatrix};
  Buffer product_{Space::device, 4 * kMatrix* kMatrix};
  Buffer source_{Space::device, kCopyBytes};
  Buffer target_{Space::device, kCopyBytes};
};

class Profiler : public testing::Test {
 protected:
  /// Profiles TwoStages at `tier`; skips the test where the machine denies it.
  Profile profile(record::Tier tier) {
    TwoStages call;
    return profile_call(
        {.tier = tier, .dtype = Dtype::bf16, .method = "test"}, [&](StageObserver& observer) { call(observer); },
        [&] { call.flush(); });
  }
  void SetUp() override {
    if (gpu_list().gpus.empty()) GTEST_SKIP() << gpu_list().reason;
    probe_ = probe_tiers();
  }
  Profile probe_;
};

TEST_F(Profiler, TracesEveryKernelInItsStage) {
  if (probe_.reached < record::Tier::t1) GTEST_SKIP() << probe_.reason;
  const Profile found = profile(record::Tier::t1);
  EXPECT_EQ(found.reached, record::Tier::t1);
  ASSERT_EQ(found.stages.size(), 2u);
  EXPECT_EQ(found.stages[0].name, "copy");
  EXPECT_EQ(found.stages[0].kind, "select");
  ASSERT_EQ(found.stages[0].kernels.size(), 2u);
  ASSERT_EQ(found.stages[1].kernels.size(), 1u);
  const record::Kernel& product = found.stages[1].kernels[0];
  EXPECT_THAT(product.name, testing::HasSubstr("matmul_kernel"));
  EXPECT_THAT(product.grid, testing::ElementsAre(kMatrix / 64, kMatrix / 16, 1));
  EXPECT_THAT(product.block, testing::ElementsAre(32, 1, 1));
  EXPECT_GT(product.registers, 0);
  EXPECT_EQ(found.stages[0].kernels[0].start_ns, 0);
  EXPECT_GT(product.start_ns, found.stages[0].kernels[0].duration_ns / 2);
  EXPECT_GT(found.stages[0].kernels[1].start_ns, product.start_ns);
  EXPECT_TRUE(found.counters.empty());
}

TEST_F(Profiler, ListsTheKernelsOfAStagesFirstOccurrences) {
  if (probe_.reached < record::Tier::t1) GTEST_SKIP() << probe_.reason;
  TwoStages call;
  const auto twenty_times = [&](StageObserver& observer) {
    for (int i = 0; i < 20; ++i) call(observer);
  };
  const Profile found = profile_call({.tier = record::Tier::t1, .dtype = Dtype::bf16, .method = "test"}, twenty_times,
                                     [&] { call.flush(); });
  ASSERT_EQ(found.stages.size(), 2u);
  EXPECT_EQ(found.stages[0].kernels.size(), 16u);
  EXPECT_EQ(found.stages[1].kernels.size(), 16u);
  EXPECT_EQ(found.reason, "28 of 60 kernels are not listed: those after a stage's first 16 occurrences");
}

TEST_F(Profiler, CountsTheWorkOfEveryStage) {
  if (probe_.reached < record::Tier::t2) GTEST_SKIP() << probe_.reason;
  const Profile found = profile(record::Tier::t2);
  EXPECT_EQ(found.reached, record::Tier::t2) << found.reason;
  EXPECT_EQ(found.reason, "");
  ASSERT_EQ(found.stages.size(), 2u);
  const auto& copy = found.stages[0].counters;
  const auto& product = found.stages[1].counters;
  EXPECT_EQ(copy.at("tensor_flops"), 0);
  EXPECT_NEAR(product.at("tensor_flops") / kMatmulFlops, 1, 1e-3);
  EXPECT_NEAR(found.counters.at("tensor_flops") / kMatmulFlops, 1, 1e-3);
  EXPECT_EQ(product.at("fp_flops"), 0);
  // What a cache of 1/16 of the copy, or less, can hold back or still owes moves each factor by at most that share.
  EXPECT_NEAR(copy.at("dram_read_bytes") / (2.0 * kCopyBytes), 1, 1.0 / 16);
  EXPECT_NEAR(copy.at("dram_write_bytes") / (2.0 * kCopyBytes), 1, 1.0 / 16);
  EXPECT_GT(copy.at("gpu_time_ns"), product.at("gpu_time_ns"));
  EXPECT_GT(found.counters.at("sm_clock_hz"), 1e8);
}

TEST_F(Profiler, CalibrationFactorsAreNearOne) {
  if (probe_.reached < record::Tier::t2) GTEST_SKIP() << probe_.reason;
  const Calibration calibration = calibrate_counters();
  EXPECT_EQ(calibration.reason, "");
  EXPECT_NEAR(calibration.tensor_flops_factor.value(), 1, 1e-3);
  EXPECT_NEAR(calibration.fp_flops_factor.value(), 1, 1e-3);
  EXPECT_NEAR(calibration.fp_half_flops_factor.value(), 1, 1e-3);
  EXPECT_NEAR(calibration.dram_read_factor.value(), 1, 0.05);
  EXPECT_NEAR(calibration.dram_write_factor.value(), 1, 0.05);
}

}  // namespace
}  // namespace attnscope
