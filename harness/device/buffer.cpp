// SPDX-License-Identifier: Apache-2.0
#include "harness/device/buffer.hpp"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <map>
#include <mutex>
#include <new>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/device/guards.hpp"
#if ATTNSCOPE_CUDA
#include "harness/device/cuda_check.hpp"
#endif

namespace attnscope {
namespace {

constexpr std::size_t kAlignment = 256;
constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr int kGuardByte = 0xA5;
constexpr int kPoisonByte = 0xFF;

struct Usage {
  std::atomic<std::size_t> live{0};
  std::atomic<std::size_t> peak{0};
};

Usage& usage(Space space) {
  static std::array<Usage, 2> usages;
  return usages[static_cast<std::size_t>(space)];
}

void account(Space space, std::size_t bytes) {
  Usage& all = usage(space);
  const std::size_t live = all.live += bytes;
  std::size_t peak = all.peak;
  while (peak < live && !all.peak.compare_exchange_weak(peak, live)) {
  }
}

bool guards_intact_around(Space space, const std::byte* base, std::size_t bytes);

/// Every block that lives, for the check of all guards. Never destroyed: buffers of static lifetime may outlive it.
class Blocks {
 public:
  static Blocks& all() {
    static Blocks& blocks = *new Blocks;
    return blocks;
  }
  void add(Space space, const std::byte* base, std::size_t bytes) {
    const std::scoped_lock lock(mutex_);
    blocks_[base] = {space, bytes};
  }
  void remove(const std::byte* base) {
    const std::scoped_lock lock(mutex_);
    blocks_.erase(base);
  }
  bool guards_intact() {
    const std::scoped_lock lock(mutex_);
    return std::ranges::all_of(blocks_, [](const auto& block) {
      return guards_intact_around(block.second.first, block.first, block.second.second);
    });
  }

 private:
  std::mutex mutex_;
  std::map<const std::byte*, std::pair<Space, std::size_t>> blocks_;  // payload bytes by begin
};

std::byte* allocate(Space space, std::size_t bytes) {
  if (space == Space::host) {
    // Large blocks ask for huge pages: streams over 4 KiB pages spend their time in the TLB. Advice only, so no check.
    const std::size_t alignment = bytes >= 2 * kHugePage ? kHugePage : kAlignment;
    void* memory = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
    if (!memory) throw OutOfMemory(fmt::format("host memory: {} bytes could not be allocated", bytes));
    if (alignment == kHugePage) madvise(memory, bytes, MADV_HUGEPAGE);
    return static_cast<std::byte*>(memory);
  }
#if ATTNSCOPE_CUDA
  void* memory = nullptr;
  const cudaError_t status = cudaMalloc(&memory, bytes);
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();  // the error is not sticky; leave the context usable
    throw OutOfMemory(fmt::format("device memory: {} bytes could not be allocated", bytes));
  }
  cuda_check(status, "cudaMalloc");
  return static_cast<std::byte*>(memory);
#else
  throw MachineError("device memory asked for in a build without CUDA");
#endif
}

void fill(Space space, void* target, int byte, std::size_t bytes) {
  if (space == Space::host) {
    std::memset(target, byte, bytes);
    return;
  }
#if ATTNSCOPE_CUDA
  cuda_check(cudaMemset(target, byte, bytes), "cudaMemset");
  cuda_check(cudaDeviceSynchronize(), "cudaMemset");
#endif
}

void copy(void* target, const void* source, std::size_t bytes, bool device) {
  if (bytes == 0) return;  // empty buffers and containers may have no address
  if (!device) {
    std::memcpy(target, source, bytes);
    return;
  }
#if ATTNSCOPE_CUDA
  cuda_check(cudaMemcpy(target, source, bytes, cudaMemcpyDefault), "cudaMemcpy");
#endif
}

bool guards_intact_around(Space space, const std::byte* base, std::size_t bytes) {
  constexpr std::size_t kGuard = Buffer::kGuardBytes;
  std::array<unsigned char, 2 * kGuard> guards;
  const bool device = space == Space::device;
  copy(guards.data(), base, kGuard, device);
  copy(guards.data() + kGuard, base + kGuard + bytes, kGuard, device);
  return std::ranges::all_of(guards, [](unsigned char byte) { return byte == kGuardByte; });
}

}  // namespace

Buffer::Buffer(Space space, std::size_t bytes)
    : base_(allocate(space, bytes + 2 * kGuardBytes)), data_(base_ + kGuardBytes), bytes_(bytes), space_(space) {
  static_assert(kGuardBytes % kAlignment == 0);
  fill(space_, base_, kGuardByte, kGuardBytes);
  fill(space_, base_ + kGuardBytes + bytes_, kGuardByte, kGuardBytes);
  account(space_, bytes_);
  Blocks::all().add(space_, base_, bytes_);
}

Buffer::Buffer(Buffer&& other) noexcept
    : base_(std::exchange(other.base_, nullptr)),
      data_(std::exchange(other.data_, nullptr)),
      bytes_(std::exchange(other.bytes_, 0)),
      space_(other.space_) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  if (this == &other) return *this;
  release();
  base_ = std::exchange(other.base_, nullptr);
  data_ = std::exchange(other.data_, nullptr);
  bytes_ = std::exchange(other.bytes_, 0);
  space_ = other.space_;
  return *this;
}

Buffer::~Buffer() { release(); }

void Buffer::release() noexcept {
  if (!base_) return;
  Blocks::all().remove(base_);
  usage(space_).live -= bytes_;
  if (space_ == Space::host) std::free(base_);
#if ATTNSCOPE_CUDA
  if (space_ == Space::device) cudaFree(base_);
#endif
  base_ = nullptr;
}

void Buffer::poison() { fill(space_, data_, kPoisonByte, bytes_); }
void Buffer::zero() { fill(space_, data_, 0, bytes_); }

void Buffer::copy_from_host(const void* source, std::size_t bytes, std::size_t offset) {
  if (offset > bytes_ || bytes > bytes_ - offset)
    throw Error(fmt::format("buffer of {} bytes: cannot take {} bytes at {}", bytes_, bytes, offset));
  copy(as<std::byte>() + offset, source, bytes, space_ == Space::device);
}

void Buffer::copy_to_host(void* target, std::size_t bytes) const {
  if (bytes > bytes_) throw Error(fmt::format("buffer of {} bytes: cannot give {} bytes", bytes_, bytes));
  copy(target, data_, bytes, space_ == Space::device);
}

bool Buffer::guards_intact() const { return !base_ || guards_intact_around(space_, base_, bytes_); }
bool all_guards_intact() { return Blocks::all().guards_intact(); }

std::size_t Buffer::live_bytes(Space space) { return usage(space).live; }
std::size_t Buffer::peak_bytes(Space space) { return usage(space).peak; }

}  // namespace attnscope
