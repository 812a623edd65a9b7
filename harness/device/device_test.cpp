// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <numeric>
#include <string>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/device/buffer.hpp"
#include "harness/device/device_info.hpp"
#include "harness/device/gpu_state.hpp"
#include "harness/device/guards.hpp"
#include "harness/device/l2_flush.hpp"
#include "harness/device/shared_library.hpp"
#include "harness/device/stream.hpp"

namespace attnscope {
namespace {

TEST(HostBuffer, GuardsTellOfWritesBeforeAndBehind) {
  for (const std::ptrdiff_t offset : {-1, 5}) {
    const Buffer buffer(Space::host, 5);
    EXPECT_TRUE(buffer.guards_intact());
    buffer.as<unsigned char>()[offset] = 0;
    EXPECT_FALSE(buffer.guards_intact()) << offset;
  }
}

TEST(HostBuffer, GuardsOfAllBuffersAreChecked) {
  const Buffer kept(Space::host, 10);
  EXPECT_TRUE(all_guards_intact());
  {
    Buffer first(Space::host, 7);
    first.as<unsigned char>()[7] = 0;
    EXPECT_FALSE(all_guards_intact());
    const Buffer moved = std::move(first);
    EXPECT_FALSE(all_guards_intact());
  }
  EXPECT_TRUE(all_guards_intact());
}

TEST(HostBuffer, TakesBytesAtAnOffsetAndNoneBeyondItsEnd) {
  Buffer buffer(Space::host, 5);
  buffer.zero();
  buffer.copy_from_host("ab", 2, 3);
  EXPECT_EQ(std::string(buffer.as<char>(), 5), std::string("\0\0\0ab", 5));
  EXPECT_THROW(buffer.copy_from_host("abc", 3, 3), Error);
  EXPECT_THROW(buffer.copy_from_host("", 0, 6), Error);
  EXPECT_TRUE(buffer.guards_intact());
}

TEST(HostBuffer, CountsLiveAndPeakBytes) {
  const std::size_t before = Buffer::live_bytes(Space::host);
  {
    const Buffer buffer(Space::host, 1000);
    EXPECT_EQ(Buffer::live_bytes(Space::host), before + 1000);
  }
  EXPECT_EQ(Buffer::live_bytes(Space::host), before);
  EXPECT_GE(Buffer::peak_bytes(Space::host), before + 1000);
}

TEST(SharedLibrary, SaysWhatItTried) {
  const std::vector<std::string> directories{"/nowhere"};
  const SharedLibrary library("libno_such.so.1", directories);
  EXPECT_FALSE(library);
  EXPECT_NE(library.searched().find("/nowhere/libno_such.so.1"), std::string::npos);
  EXPECT_EQ(library.find<void()>("f"), nullptr);
}

TEST(GpuList, AnEmptyListHasAReason) {
  EXPECT_EQ(gpu_list().gpus.empty(), !gpu_list().reason.empty());
  EXPECT_THROW(use_gpu(1000), MachineError);
}

class Gpu : public testing::Test {
 protected:
  void SetUp() override {
    if (gpu_list().gpus.empty()) GTEST_SKIP() << gpu_list().reason;
  }
};

TEST_F(Gpu, IsDescribed) {
  const GpuInfo& gpu = gpu_list().gpus.front();
  EXPECT_FALSE(gpu.name.empty());
  EXPECT_EQ(gpu.uuid.size(), 40u) << gpu.uuid;
  EXPECT_GE(gpu.compute_capability, 80);
  EXPECT_GT(gpu.l2_bytes, 0);
  EXPECT_GT(gpu_free_bytes(), 0);
  const auto state = read_gpu_state(gpu);
  EXPECT_TRUE(!state || state->sm_mhz);
}

TEST_F(Gpu, BufferRoundTripKeepsEveryByteAndTheGuards) {
  std::vector<int> numbers(1001);
  std::iota(numbers.begin(), numbers.end(), 0);
  Buffer buffer(Space::device, numbers.size() * sizeof(int));
  buffer.copy_from_host(numbers.data(), buffer.bytes());
  std::vector<int> back(numbers.size());
  buffer.copy_to_host(back.data(), buffer.bytes());
  EXPECT_EQ(back, numbers);
  EXPECT_TRUE(buffer.guards_intact());
}

TEST_F(Gpu, EventsTimeTheWorkBetweenThem) {
  const Stream stream;
  L2Flush flush;
  EXPECT_EQ(static_cast<std::int64_t>(flush.bytes()), 2 * gpu_list().gpus.front().l2_bytes);
  Event start;
  Event stop;
  start.record(stream.handle());
  for (int i = 0; i < 20; ++i) flush(stream.handle());
  stop.record(stream.handle());
  stop.synchronize();
  // 20 × 2 × L2 bytes cannot be written faster than 100 TB/s nor slower than 1 GB/s.
  const double bytes = 20.0 * static_cast<double>(flush.bytes());
  EXPECT_GT(start.nanoseconds_until(stop), bytes / 1e5);
  EXPECT_LT(start.nanoseconds_until(stop), bytes / 1);
}

}  // namespace
}  // namespace attnscope
