// SPDX-License-Identifier: Apache-2.0
#include "harness/measure/method_call.hpp"

#include "harness/base/parallel.hpp"
#include "harness/device/guards.hpp"
#include "harness/method/reference_execution.hpp"

namespace attnscope {
namespace {

/// A copy of `bytes` bytes of host memory on the GPU, owned by `buffers`.
const void* to_device(const void* host, std::int64_t bytes, std::vector<Buffer>& buffers) {
  Buffer& buffer = buffers.emplace_back(Space::device, static_cast<std::size_t>(bytes));
  buffer.copy_from_host(host, buffer.bytes());
  return buffer.data();
}

}  // namespace

MethodCall::MethodCall(const Method& method, Backend backend, Phase phase, const Params& params,
                       const AttentionInputs& host, std::uint64_t page_seed)
    : method_(method), phase_(phase), params_(params), host_(host), inputs_(host) {
  const Shape& shape = host.shape;
  const std::int64_t q_bytes = shape.q_elements() * size_of(shape.dtype);
  const Space space = on_device(backend) ? Space::device : Space::host;
  if (space == Space::device) {
    stream_.emplace();
    inputs_.q = to_device(host.q, q_bytes, device_inputs_);
    if (host.past_q)
      inputs_.past_q = to_device(host.past_q, shape.history_elements() * size_of(shape.dtype), device_inputs_);
  }
  if (shape.cache_page > 0 && backend != Backend::reference) {
    paged_cache_.emplace(host, space, page_seed, hardware_threads());
    paged_cache_->replace_in(inputs_);
  } else if (space == Space::device) {
    const std::int64_t kv_bytes = shape.kv_elements() * size_of(shape.dtype);
    inputs_.k = to_device(host.k, kv_bytes, device_inputs_);
    inputs_.v = to_device(host.v, kv_bytes, device_inputs_);
  }
  o_ = Buffer(space, static_cast<std::size_t>(q_bytes));
  lse_ = Buffer(space, static_cast<std::size_t>(shape.rows()) * sizeof(float));
  host_outputs_ = {o_.data(), lse_.as<float>()};
  if (space == Space::device) {
    const std::size_t lse_offset = (o_.bytes() + sizeof(float) - 1) / sizeof(float) * sizeof(float);
    host_copy_.resize(lse_offset + lse_.bytes());
    host_outputs_ = {host_copy_.data(), reinterpret_cast<float*>(host_copy_.data() + lse_offset)};
  }

  const std::size_t before = Buffer::live_bytes(space);
  const Task task{phase, inputs_, {o_.data(), lse_.as<float>()}, stream()};
  execution_ = prepare_backend(method, backend, task, params);
  workspace_bytes_ = static_cast<std::int64_t>(Buffer::live_bytes(space) - before);
}

void MethodCall::wait() const {
  if (stream_) stream_->synchronize();
}

void MethodCall::build() {
  SilentObserver silent;
  execution_->build(silent);
  wait();
}

void MethodCall::run_poisoned() {
  o_.poison();
  lse_.poison();
  SilentObserver silent;
  execution_->run(silent);
  wait();
  if (!stream_) return;
  o_.copy_to_host(host_outputs_.o, o_.bytes());
  lse_.copy_to_host(host_outputs_.lse, lse_.bytes());
}

CompletedCall MethodCall::completed() const { return {method_, params_, phase_, host_, host_outputs_, *execution_}; }

bool MethodCall::guards_intact() const { return all_guards_intact(); }

}  // namespace attnscope
