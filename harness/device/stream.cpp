// SPDX-License-Identifier: Apache-2.0
#include "harness/device/stream.hpp"

#include <cuda_runtime_api.h>

#include <utility>

#include "harness/device/cuda_check.hpp"

namespace attnscope {
namespace {

cudaStream_t as_stream(void* handle) { return static_cast<cudaStream_t>(handle); }
cudaEvent_t as_event(void* handle) { return static_cast<cudaEvent_t>(handle); }

}  // namespace

Stream::Stream() {
  cudaStream_t stream = nullptr;
  cuda_check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
  handle_ = stream;
}

Stream::Stream(Stream&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}

Stream& Stream::operator=(Stream&& other) noexcept {
  std::swap(handle_, other.handle_);
  return *this;
}

Stream::~Stream() {
  if (handle_) cudaStreamDestroy(as_stream(handle_));
}

void Stream::synchronize() const { cuda_check(cudaStreamSynchronize(as_stream(handle_)), "cudaStreamSynchronize"); }

Event::Event() {
  cudaEvent_t event = nullptr;
  cuda_check(cudaEventCreate(&event), "cudaEventCreate");
  handle_ = event;
}

Event::Event(Event&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}

Event& Event::operator=(Event&& other) noexcept {
  std::swap(handle_, other.handle_);
  return *this;
}

Event::~Event() {
  if (handle_) cudaEventDestroy(as_event(handle_));
}

void Event::record(void* stream) {
  cuda_check(cudaEventRecord(as_event(handle_), as_stream(stream)), "cudaEventRecord");
}

void Event::synchronize() const { cuda_check(cudaEventSynchronize(as_event(handle_)), "cudaEventSynchronize"); }

double Event::nanoseconds_until(const Event& later) const {
  float milliseconds = 0;
  cuda_check(cudaEventElapsedTime(&milliseconds, as_event(handle_), as_event(later.handle_)), "cudaEventElapsedTime");
  return static_cast<double>(milliseconds) * 1e6;
}

void synchronize_gpu() { cuda_check(cudaDeviceSynchronize(), "cudaDeviceSynchronize"); }

}  // namespace attnscope
