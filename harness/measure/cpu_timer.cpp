// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>

#include "harness/measure/call_timer.hpp"
#include "harness/measure/cpu_cache.hpp"

namespace attnscope {
namespace {

using Clock = std::chrono::steady_clock;

double nanoseconds(Clock::duration duration) { return std::chrono::duration<double, std::nano>(duration).count(); }

class StageClock final : public StageObserver {
 public:
  void begin(std::string_view name, StageKind kind) override {
    current_ = std::ranges::find(times_, name, &StageTime::name);
    if (current_ == times_.end()) current_ = times_.insert(times_.end(), {std::string(name), kind, 0});
    started_ = Clock::now();
  }
  void end() override { current_->ns += nanoseconds(Clock::now() - started_); }
  std::vector<StageTime> take() { return std::move(times_); }

 private:
  std::vector<StageTime> times_;
  std::vector<StageTime>::iterator current_;
  Clock::time_point started_;
};

class CpuTimer final : public CallTimer {
 public:
  CpuTimer(Contract contract, const TimedCall& call) : contract_(contract), call_(call) {}

  double time_call() override {
    prepare_caches();
    SilentObserver silent;
    const auto start = Clock::now();
    call_.execution.run(silent);
    return nanoseconds(Clock::now() - start);
  }

  std::vector<StageTime> time_stages(bool build) override {
    prepare_caches();
    StageClock clock;
    if (build)
      call_.execution.build(clock);
    else
      call_.execution.run(clock);
    return clock.take();
  }

 private:
  void prepare_caches() const {
    if (contract_ != Contract::cold) return;
    const AttentionInputs& inputs = call_.inputs;
    const Shape& shape = inputs.shape;
    const auto flush = [&](const void* tensor, std::int64_t elements) {
      flush_cpu_caches(tensor, static_cast<std::size_t>(elements * size_of(shape.dtype)));
    };
    flush(inputs.q, shape.q_elements());
    flush(inputs.k, inputs.stored_kv_elements());
    flush(inputs.v, inputs.stored_kv_elements());
    flush(inputs.past_q, shape.history_elements());
  }

  Contract contract_;
  TimedCall call_;
};

}  // namespace

std::unique_ptr<CallTimer> make_cpu_timer(Contract contract, const TimedCall& call) {
  return std::make_unique<CpuTimer>(contract, call);
}

}  // namespace attnscope
