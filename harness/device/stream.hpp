// SPDX-License-Identifier: Apache-2.0
// A CUDA stream and CUDA events as owners. Usable in every build: without CUDA the constructors throw MachineError.
#pragma once

namespace attnscope {

/// A non-blocking stream of the current GPU. Move-only.
class Stream {
 public:
  Stream();
  Stream(Stream&& other) noexcept;
  Stream& operator=(Stream&& other) noexcept;
  ~Stream();

  /// The cudaStream_t, as Task::stream takes it.
  void* handle() const { return handle_; }
  /// Waits for everything enqueued. Throws Error when any of it failed.
  void synchronize() const;

 private:
  void* handle_ = nullptr;
};

/// A point in a stream that can be waited for and timed. Move-only.
class Event {
 public:
  Event();
  Event(Event&& other) noexcept;
  Event& operator=(Event&& other) noexcept;
  ~Event();

  /// `stream` is a cudaStream_t.
  void record(void* stream);
  void synchronize() const;
  /// GPU time from this event to `later`, both recorded and reached; resolution about 0.5 µs.
  double nanoseconds_until(const Event& later) const;

 private:
  [[maybe_unused]] void* handle_ = nullptr;  // without CUDA nobody reads it
};

/// Waits for everything enqueued on the current GPU. Throws Error when any of it failed.
void synchronize_gpu();

}  // namespace attnscope
