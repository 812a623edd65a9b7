// SPDX-License-Identifier: Apache-2.0
#include "harness/measure/ceilings/cpu_loops.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "harness/measure/ceilings/cpu_loops.cpp"
#include <hwy/foreach_target.h>  // compiles this file once per instruction set
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace attnscope::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::ScalableTag<float>;

// x ← x·a + b settles at b / (1 − a) = 1: no overflow, no denormals. Twelve chains cover the latency of two FMA ports
// (4 to 5 cycles each) and, with a and b, fit the 16 registers of AVX2. Spelled out, since vectors of unknown size
// cannot be array elements.
float MultiplyAdd(std::int64_t iterations) {
  const Floats d;
  const auto a = hn::Set(d, 0.75f);
  const auto b = hn::Set(d, 0.25f);
  auto x0 = hn::Iota(d, 0), x1 = hn::Iota(d, 1), x2 = hn::Iota(d, 2), x3 = hn::Iota(d, 3);
  auto x4 = hn::Iota(d, 4), x5 = hn::Iota(d, 5), x6 = hn::Iota(d, 6), x7 = hn::Iota(d, 7);
  auto x8 = hn::Iota(d, 8), x9 = hn::Iota(d, 9), x10 = hn::Iota(d, 10), x11 = hn::Iota(d, 11);
  for (std::int64_t i = 0; i < iterations; ++i) {
    x0 = hn::MulAdd(x0, a, b), x1 = hn::MulAdd(x1, a, b), x2 = hn::MulAdd(x2, a, b), x3 = hn::MulAdd(x3, a, b);
    x4 = hn::MulAdd(x4, a, b), x5 = hn::MulAdd(x5, a, b), x6 = hn::MulAdd(x6, a, b), x7 = hn::MulAdd(x7, a, b);
    x8 = hn::MulAdd(x8, a, b), x9 = hn::MulAdd(x9, a, b), x10 = hn::MulAdd(x10, a, b), x11 = hn::MulAdd(x11, a, b);
  }
  const auto low = hn::Add(hn::Add(hn::Add(x0, x1), hn::Add(x2, x3)), hn::Add(x4, x5));
  const auto high = hn::Add(hn::Add(hn::Add(x6, x7), hn::Add(x8, x9)), hn::Add(x10, x11));
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(low, high)));
}

// Four accumulators: enough loads in flight for a loop that waits for memory.
float Read(const float* HWY_RESTRICT data, std::int64_t count) {
  const Floats d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  auto s0 = hn::Zero(d), s1 = hn::Zero(d), s2 = hn::Zero(d), s3 = hn::Zero(d);
  std::int64_t i = 0;
  for (; i + 4 * lanes <= count; i += 4 * lanes) {
    s0 = hn::Add(s0, hn::LoadU(d, data + i));
    s1 = hn::Add(s1, hn::LoadU(d, data + i + lanes));
    s2 = hn::Add(s2, hn::LoadU(d, data + i + 2 * lanes));
    s3 = hn::Add(s3, hn::LoadU(d, data + i + 3 * lanes));
  }
  float sum = hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(s0, s1), hn::Add(s2, s3))));
  for (; i < count; ++i) sum += data[i];
  return sum;
}

std::int64_t Lanes() { return static_cast<std::int64_t>(hn::Lanes(Floats())); }
const char* Name() { return hwy::TargetName(HWY_TARGET); }

}  // namespace attnscope::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace attnscope {

HWY_EXPORT(MultiplyAdd);
HWY_EXPORT(Read);
HWY_EXPORT(Lanes);
HWY_EXPORT(Name);

std::string vector_isa() { return HWY_DYNAMIC_DISPATCH(Name)(); }
std::int64_t vector_lanes_f32() { return HWY_DYNAMIC_DISPATCH(Lanes)(); }
float multiply_add_loop(std::int64_t iterations) { return HWY_DYNAMIC_DISPATCH(MultiplyAdd)(iterations); }
float read_loop(const float* data, std::int64_t count) { return HWY_DYNAMIC_DISPATCH(Read)(data, count); }

}  // namespace attnscope
#endif
