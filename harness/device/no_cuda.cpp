// SPDX-License-Identifier: Apache-2.0
// The device half of a build without CUDA: no GPUs, and one clear error from everything that needs one.
#include <utility>

#include "harness/base/error.hpp"
#include "harness/device/device_info.hpp"
#include "harness/device/l2_flush.hpp"
#include "harness/device/stream.hpp"

namespace attnscope {
namespace {

constexpr const char* kReason = "this build has no CUDA: configure with ATTNSCOPE_CUDA=ON where nvcc 13 is installed";

[[noreturn]] void refuse() { throw MachineError(kReason); }

}  // namespace

const GpuList& gpu_list() {
  static const GpuList list{.gpus = {}, .reason = kReason, .driver_cuda = {}, .runtime = {}};
  return list;
}

void use_gpu(int) { refuse(); }
int current_gpu() { refuse(); }
std::int64_t gpu_free_bytes() { return 0; }
void synchronize_gpu() { refuse(); }

Stream::Stream() { refuse(); }
Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&&) noexcept = default;
Stream::~Stream() = default;
void Stream::synchronize() const { refuse(); }

Event::Event() { refuse(); }
Event::Event(Event&&) noexcept = default;
Event& Event::operator=(Event&&) noexcept = default;
Event::~Event() = default;
void Event::record(void*) { refuse(); }
void Event::synchronize() const { refuse(); }
double Event::nanoseconds_until(const Event&) const { refuse(); }

L2Flush::L2Flush() { refuse(); }
void L2Flush::operator()(void*) { refuse(); }

}  // namespace attnscope
