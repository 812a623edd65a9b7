// SPDX-License-Identifier: Apache-2.0
#include <cuda_runtime_api.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <optional>

#include "harness/device/cuda_check.hpp"
#include "harness/device/l2_flush.hpp"
#include "harness/device/stream.hpp"
#include "harness/measure/call_timer.hpp"
#include "harness/measure/spin.hpp"

namespace attnscope {
namespace {

/// The host's enqueue time varies; twice its time at rest and a margin are waited for, and no more than the bound.
constexpr double kSpinFactor = 2;
constexpr double kSpinMarginNs = 2e4;
constexpr double kMaxSpinNs = 5e6;

/// A call captured once, to be launched as a whole.
class Graph {
 public:
  Graph(Execution& execution, cudaStream_t stream) {
    SilentObserver silent;
    cuda_check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
    execution.run(silent);
    cudaGraph_t graph = nullptr;
    cuda_check(cudaStreamEndCapture(stream, &graph), "cudaStreamEndCapture");
    const cudaError_t status = cudaGraphInstantiate(&executable_, graph, 0);
    cudaGraphDestroy(graph);
    cuda_check(status, "cudaGraphInstantiate");
    cuda_check(cudaGraphUpload(executable_, stream), "cudaGraphUpload");
  }
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;
  ~Graph() { cudaGraphExecDestroy(executable_); }

  void launch(cudaStream_t stream) { cuda_check(cudaGraphLaunch(executable_, stream), "cudaGraphLaunch"); }

 private:
  cudaGraphExec_t executable_ = nullptr;
};

/// An event at each stage boundary; times can be read when the stream is idle.
class StageEvents final : public StageObserver {
 public:
  explicit StageEvents(void* stream) : stream_(stream) {}
  void begin(std::string_view name, StageKind kind) override {
    spans_.push_back({std::string(name), kind, {}, {}});
    spans_.back().first.record(stream_);
  }
  void end() override { spans_.back().last.record(stream_); }

  std::vector<StageTime> times() const {
    std::vector<StageTime> times;
    for (const Span& span : spans_) {
      auto entry = std::ranges::find(times, span.name, &StageTime::name);
      if (entry == times.end()) entry = times.insert(times.end(), {span.name, span.kind, 0});
      entry->ns += span.first.nanoseconds_until(span.last);
    }
    return times;
  }

 private:
  struct Span {
    std::string name;
    StageKind kind;
    Event first, last;
  };
  void* stream_;
  std::deque<Span> spans_;
};

class GpuTimer final : public CallTimer {
 public:
  GpuTimer(Contract contract, const TimedCall& call) : call_(call), stream_(static_cast<cudaStream_t>(call.stream)) {
    if (contract == Contract::cold) flush_.emplace();
    if (contract == Contract::graph) graph_.emplace(call.execution, stream_);
    enqueue_ns_ = measure_enqueue();
  }

  double time_call() override {
    prepare_stream();
    start_.record(stream_);
    enqueue_call();
    stop_.record(stream_);
    stop_.synchronize();
    return start_.nanoseconds_until(stop_);
  }

  std::vector<StageTime> time_stages(bool build) override {
    StageEvents events(stream_);
    prepare_stream();
    if (build)
      call_.execution.build(events);
    else
      call_.execution.run(events);
    cuda_check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
    return events.times();
  }

 private:
  void enqueue_call() {
    SilentObserver silent;
    if (graph_)
      graph_->launch(stream_);
    else
      call_.execution.run(silent);
  }

  double measure_enqueue() {
    cuda_check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
    const auto start = std::chrono::steady_clock::now();
    enqueue_call();
    const std::chrono::duration<double, std::nano> elapsed = std::chrono::steady_clock::now() - start;
    cuda_check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
    return elapsed.count();
  }

  void prepare_stream() {
    if (flush_) (*flush_)(stream_);
    enqueue_spin(std::min(kSpinFactor * enqueue_ns_ + kSpinMarginNs, kMaxSpinNs), stream_);
  }

  TimedCall call_;
  cudaStream_t stream_;
  std::optional<L2Flush> flush_;
  std::optional<Graph> graph_;
  Event start_, stop_;
  double enqueue_ns_ = 0;
};

}  // namespace

std::unique_ptr<CallTimer> make_gpu_timer(Contract contract, const TimedCall& call) {
  return std::make_unique<GpuTimer>(contract, call);
}

}  // namespace attnscope
