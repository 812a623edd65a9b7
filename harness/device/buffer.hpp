// SPDX-License-Identifier: Apache-2.0
// Owned memory, on the host or on a GPU, with guard bands that tell of out-of-bounds writes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace attnscope {

enum class Space { host, device };

/// A block of `bytes` bytes, 256-byte aligned, between two guard bands of kGuardBytes. Move-only.
/// Throws OutOfMemory when the memory is not there and MachineError for device memory in a build without CUDA.
class Buffer {
 public:
  static constexpr std::size_t kGuardBytes = 256;

  Buffer() = default;
  Buffer(Space space, std::size_t bytes);
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer();

  void* data() const { return data_; }
  template <typename T>
  T* as() const {
    return static_cast<T*>(data_);
  }
  std::size_t bytes() const { return bytes_; }
  Space space() const { return space_; }
  explicit operator bool() const { return data_ != nullptr; }

  /// Fills the payload with 0xFF bytes: NaN in every floating type, −1 in every integer type.
  void poison();
  void zero();
  /// Copies between host memory and this buffer, `offset` bytes into it; synchronous. Throws Error when the bytes would
  /// not fit.
  void copy_from_host(const void* source, std::size_t bytes, std::size_t offset = 0);
  void copy_to_host(void* target, std::size_t bytes) const;
  /// True while both guard bands hold what the constructor wrote.
  bool guards_intact() const;

  /// Payload bytes held now, and the most held at once since the process began, over all buffers of `space`.
  static std::size_t live_bytes(Space space);
  static std::size_t peak_bytes(Space space);

 private:
  void release() noexcept;

  std::byte* base_ = nullptr;
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
  Space space_ = Space::host;
};

}  // namespace attnscope
