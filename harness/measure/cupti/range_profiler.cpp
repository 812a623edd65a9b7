// SPDX-License-Identifier: Apache-2.0
#include "harness/measure/cupti/range_profiler.hpp"

#include <cuda.h>
#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "harness/device/cuda_check.hpp"
#include "harness/device/device_info.hpp"
#include "harness/device/stream.hpp"
#include "harness/measure/cupti/library.hpp"

namespace attnscope {
namespace {

/// The current GPU's context, created when there is none yet. The driver is asked through the runtime: not linked.
CUcontext current_context() {
  cuda_check(cudaFree(nullptr), "cudaFree");
  void* function = nullptr;
  cudaDriverEntryPointQueryResult found = cudaDriverEntryPointSymbolNotFound;
  cuda_check(cudaGetDriverEntryPointByVersion("cuCtxGetCurrent", &function, 12000, cudaEnableDefault, &found),
             "cudaGetDriverEntryPointByVersion");
  CUcontext context = nullptr;
  if (found != cudaDriverEntryPointSuccess ||
      reinterpret_cast<decltype(&cuCtxGetCurrent)>(function)(&context) != CUDA_SUCCESS || !context)
    throw Error("cuCtxGetCurrent: no CUDA context");
  return context;
}

void initialize_profiler() {
  static const bool initialized = [] {
    auto params = ATTNSCOPE_CUPTI_PARAMS(CUpti_Profiler_Initialize_Params);
    cupti_check(cupti().ProfilerInitialize(&params), "cuptiProfilerInitialize");
    return true;
  }();
  static_cast<void>(initialized);
}

/// Which counters this very GPU can collect; a virtual or restricted one may offer fewer than its chip.
std::vector<std::uint8_t> counter_availability() {
  initialize_profiler();
  auto params = ATTNSCOPE_CUPTI_PARAMS(CUpti_Profiler_GetCounterAvailability_Params);
  params.ctx = current_context();
  cupti_check(cupti().ProfilerGetCounterAvailability(&params), "cuptiProfilerGetCounterAvailability");
  std::vector<std::uint8_t> image(params.counterAvailabilityImageSize);
  params.pCounterAvailabilityImage = image.data();
  cupti_check(cupti().ProfilerGetCounterAvailability(&params), "cuptiProfilerGetCounterAvailability");
  return image;
}

Counters weigh(const Plan& plan, const std::vector<std::string>& metrics, const std::vector<double>& values) {
  Counters counters;
  for (const Counter& counter : plan.counters)
    for (const Counter::Term& term : counter.terms)
      counters[counter.name] +=
          term.weight * values[static_cast<std::size_t>(std::ranges::find(metrics, term.metric) - metrics.begin())];
  return counters;
}

class CounterObserver final : public StageLog {
 public:
  CounterObserver(std::string method, RangeProfiler& profiler) : StageLog(std::move(method)), profiler_(profiler) {}

 protected:
  void enter(std::size_t occurrence) override { profiler_.push(occurrence); }
  void leave() override { profiler_.pop(); }

 private:
  RangeProfiler& profiler_;
};

}  // namespace

std::string current_chip() {
  initialize_profiler();
  auto params = ATTNSCOPE_CUPTI_PARAMS(CUpti_Device_GetChipName_Params);
  params.deviceIndex = static_cast<std::size_t>(current_gpu());
  cupti_check(cupti().DeviceGetChipName(&params), "cuptiDeviceGetChipName");
  return params.pChipName;
}

RangeProfiler::RangeProfiler(const Plan& plan, std::size_t max_ranges)
    : plan_(plan),
      metrics_(plan.metrics()),
      host_(current_chip(), counter_availability()),
      configuration_(host_.configure(metrics_)) {
  const std::size_t passes = MetricHost::passes(configuration_);
  if (passes != 1)
    throw MachineError(
        fmt::format("counter plan {}: needs {} passes on this {}; expected 1", plan_.name, passes, current_chip()));

  auto enable = ATTNSCOPE_CUPTI_PARAMS(CUpti_RangeProfiler_Enable_Params);
  enable.ctx = current_context();
  cupti_check(cupti().RangeProfilerEnable(&enable), "cuptiRangeProfilerEnable");
  profiler_.reset(enable.pRangeProfilerObject);

  // Names are numbers, each used once: ranges of one name would be merged.
  for (std::size_t i = 0; i < max_ranges; ++i) range_names_.push_back(std::to_string(i));

  std::vector<const char*> names = c_strings(metrics_);
  auto size = ATTNSCOPE_CUPTI_PARAMS(CUpti_RangeProfiler_GetCounterDataSize_Params);
  size.pRangeProfilerObject = profiler_.get();
  size.pMetricNames = names.data();
  size.numMetrics = names.size();
  size.maxNumOfRanges = max_ranges;
  size.maxNumRangeTreeNodes = static_cast<std::uint32_t>(max_ranges);
  cupti_check(cupti().RangeProfilerGetCounterDataSize(&size), "cuptiRangeProfilerGetCounterDataSize");
  counter_data_.resize(size.counterDataSize);

  auto image = ATTNSCOPE_CUPTI_PARAMS(CUpti_RangeProfiler_CounterDataImage_Initialize_Params);
  image.pRangeProfilerObject = profiler_.get();
  image.counterDataSize = counter_data_.size();
  image.pCounterData = counter_data_.data();
  cupti_check(cupti().RangeProfilerCounterDataImageInitialize(&image), "cuptiRangeProfilerCounterDataImageInitialize");

  auto config = ATTNSCOPE_CUPTI_PARAMS(CUpti_RangeProfiler_SetConfig_Params);
  config.pRangeProfilerObject = profiler_.get();
  config.configSize = configuration_.size();
  config.pConfig = configuration_.data();
  config.counterDataImageSize = counter_data_.size();
  config.pCounterDataImage = counter_data_.data();
  config.range = CUPTI_UserRange;
  config.replayMode = CUPTI_UserReplay;
  config.maxRangesPerPass = max_ranges;
  config.numNestingLevels = 1;
  config.minNestingLevel = 1;
  config.targetNestingLevel = 1;
  cupti_check(cupti().RangeProfilerSetConfig(&config), "cuptiRangeProfilerSetConfig");
}

void RangeProfiler::Disable::operator()(CUpti_RangeProfiler_Object* profiler) const {
  auto params = ATTNSCOPE_CUPTI_PARAMS(CUpti_RangeProfiler_Disable_Params);
  params.pRangeProfilerObject = profiler;
  cupti().RangeProfilerDisable(&params);
}

void RangeProfiler::start() {
  auto params = ATTNSCOPE_CUPTI_PARAMS(CUpti_RangeProfiler_Start_Params);
  params.pRangeProfilerObject = profiler_.get();
  cupti_check(cupti().RangeProfilerStart(&params), "cuptiRangeProfilerStart");
}

void RangeProfiler::push(std::size_t index) {
  synchronize_gpu();
  auto params = ATTNSCOPE_CUPTI_PARAMS(CUpti_RangeProfiler_PushRange_Params);
  params.pRangeProfilerObject = profiler_.get();
  params.pRangeName = range_names_.at(index).c_str();
  cupti_check(cupti().RangeProfilerPushRange(&params), "cuptiRangeProfilerPushRange");
}

void RangeProfiler::pop() {
  synchronize_gpu();
  auto params = ATTNSCOPE_CUPTI_PARAMS(CUpti_RangeProfiler_PopRange_Params);
  params.pRangeProfilerObject = profiler_.get();
  cupti_check(cupti().RangeProfilerPopRange(&params), "cuptiRangeProfilerPopRange");
}

std::vector<Counters> RangeProfiler::stop() {
  auto stopped = ATTNSCOPE_CUPTI_PARAMS(CUpti_RangeProfiler_Stop_Params);
  stopped.pRangeProfilerObject = profiler_.get();
  cupti_check(cupti().RangeProfilerStop(&stopped), "cuptiRangeProfilerStop");
  if (!stopped.isAllPassSubmitted)
    throw MachineError(fmt::format("counter plan {}: CUPTI asks for a second pass", plan_.name));

  auto decoded = ATTNSCOPE_CUPTI_PARAMS(CUpti_RangeProfiler_DecodeData_Params);
  decoded.pRangeProfilerObject = profiler_.get();
  cupti_check(cupti().RangeProfilerDecodeData(&decoded), "cuptiRangeProfilerDecodeData");
  if (decoded.numOfRangeDropped > 0)
    throw MachineError(fmt::format("counter plan {}: {} ranges dropped", plan_.name, decoded.numOfRangeDropped));

  auto info = ATTNSCOPE_CUPTI_PARAMS(CUpti_RangeProfiler_GetCounterDataInfo_Params);
  info.pCounterDataImage = counter_data_.data();
  info.counterDataImageSize = counter_data_.size();
  cupti_check(cupti().RangeProfilerGetCounterDataInfo(&info), "cuptiRangeProfilerGetCounterDataInfo");
  std::vector<Counters> ranges(info.numTotalRanges);
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    auto range = ATTNSCOPE_CUPTI_PARAMS(CUpti_RangeProfiler_CounterData_GetRangeInfo_Params);
    range.pCounterDataImage = counter_data_.data();
    range.counterDataImageSize = counter_data_.size();
    range.rangeIndex = i;
    range.rangeDelimiter = "/";
    cupti_check(cupti().RangeProfilerCounterDataGetRangeInfo(&range), "cuptiRangeProfilerCounterDataGetRangeInfo");
    ranges.at(std::stoul(range.rangeName)) = weigh(plan_, metrics_, host_.evaluate(counter_data_, i, metrics_));
  }
  return ranges;
}

Counters count_call(const Plan& plan, const std::function<void()>& call) {
  RangeProfiler profiler(plan, 1);
  profiler.start();
  profiler.push(0);
  call();
  profiler.pop();
  return profiler.stop().at(0);
}

std::vector<Counters> count_stages(const Plan& plan, const std::string& method, std::size_t occurrences,
                                   const std::function<void(StageObserver&)>& call) {
  RangeProfiler profiler(plan, occurrences);
  CounterObserver observer(method, profiler);
  profiler.start();
  call(observer);
  observer.rethrow();
  const std::vector<Counters> ranges = profiler.stop();
  if (ranges.size() != observer.occurrences().size())
    throw Error(fmt::format("counter plan {}: expected {} ranges, found {}", plan.name, observer.occurrences().size(),
                            ranges.size()));
  std::vector<Counters> stages(observer.stages().size());
  for (std::size_t i = 0; i < ranges.size(); ++i) accumulate(stages[observer.occurrences()[i]], ranges[i], plan);
  return stages;
}

void accumulate(Counters& stage, const Counters& range, const Plan& plan) {
  const auto time = [](const Counters& counters) {
    const auto found = counters.find("gpu_time_ns");
    return found == counters.end() ? 0.0 : found->second;
  };
  const double before = time(stage);
  const double both = before + time(range);
  for (const Counter& counter : plan.counters) {
    double& total = stage[counter.name];
    const double value = range.at(counter.name);
    if (counter.rollup == Rollup::sum)
      total += value;
    else
      total = both > 0 ? total + (value - total) * time(range) / both : value;
  }
}

}  // namespace attnscope
