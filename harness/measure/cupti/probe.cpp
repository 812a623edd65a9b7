// SPDX-License-Identifier: Apache-2.0
#include "harness/measure/cupti/probe.hpp"

#include "harness/device/buffer.hpp"
#include "harness/device/device_info.hpp"
#include "harness/device/stream.hpp"
#include "harness/measure/ceilings/known_work.hpp"

namespace attnscope {

Profile probe_tiers() {
  if (gpu_list().gpus.empty()) {
    Profile none;
    none.reason = gpu_list().reason;
    return none;
  }
  constexpr int kSize = 256;
  const Stream stream;
  Buffer operands(Space::device, 4 * kSize * kSize);
  const Buffer product(Space::device, 4 * kSize * kSize);
  operands.zero();
  const ProfileRequest request{.tier = record::Tier::t2, .dtype = Dtype::bf16, .method = "probe"};
  return profile_call(
      request,
      [&](StageObserver& observer) {
        const StageScope stage(observer, "matmul", StageKind::attend);
        auto* a = operands.as<std::uint16_t>();
        matmul_bf16(a, a + kSize * kSize, product.as<float>(), kSize, kSize, kSize, stream.handle());
      },
      [] {});
}

}  // namespace attnscope
