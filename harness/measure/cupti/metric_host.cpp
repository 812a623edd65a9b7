// SPDX-License-Identifier: Apache-2.0
#include "harness/measure/cupti/metric_host.hpp"

#include <utility>

#include "harness/measure/cupti/library.hpp"

namespace attnscope {

std::vector<std::string> supported_chips() {
  auto params = ATTNSCOPE_CUPTI_PARAMS(CUpti_Profiler_Host_GetSupportedChips_Params);
  cupti_check(cupti().ProfilerHostGetSupportedChips(&params), "cuptiProfilerHostGetSupportedChips");
  std::vector<std::string> chips;
  for (std::size_t i = 0; i < params.numChips; ++i) {
    auto init = ATTNSCOPE_CUPTI_PARAMS(CUpti_Profiler_Host_Initialize_Params);
    init.profilerType = CUPTI_PROFILER_TYPE_RANGE_PROFILER;
    init.pChipName = params.ppChipNames[i];
    // CUPTI lists GV11B, which its range profiler then refuses.
    if (cupti().ProfilerHostInitialize(&init) != CUPTI_SUCCESS) continue;
    auto done = ATTNSCOPE_CUPTI_PARAMS(CUpti_Profiler_Host_Deinitialize_Params);
    done.pHostObject = init.pHostObject;
    cupti_check(cupti().ProfilerHostDeinitialize(&done), "cuptiProfilerHostDeinitialize");
    chips.emplace_back(init.pChipName);
  }
  return chips;
}

MetricHost::MetricHost(std::string chip, std::vector<std::uint8_t> availability)
    : chip_(std::move(chip)), availability_(std::move(availability)) {
  auto params = ATTNSCOPE_CUPTI_PARAMS(CUpti_Profiler_Host_Initialize_Params);
  params.profilerType = CUPTI_PROFILER_TYPE_RANGE_PROFILER;
  params.pChipName = chip_.c_str();
  params.pCounterAvailabilityImage = availability_.empty() ? nullptr : availability_.data();
  cupti_check(cupti().ProfilerHostInitialize(&params), "cuptiProfilerHostInitialize(" + chip_ + ")");
  host_ = params.pHostObject;
}

MetricHost::~MetricHost() {
  auto params = ATTNSCOPE_CUPTI_PARAMS(CUpti_Profiler_Host_Deinitialize_Params);
  params.pHostObject = host_;
  cupti().ProfilerHostDeinitialize(&params);
}

bool MetricHost::knows(const std::string& metric) const {
  auto params = ATTNSCOPE_CUPTI_PARAMS(CUpti_Profiler_Host_GetMetricProperties_Params);
  params.pHostObject = host_;
  params.pMetricName = metric.c_str();
  return cupti().ProfilerHostGetMetricProperties(&params) == CUPTI_SUCCESS;
}

std::vector<std::uint8_t> MetricHost::configure(std::span<const std::string> metrics) {
  std::vector<const char*> names = c_strings(metrics);
  auto add = ATTNSCOPE_CUPTI_PARAMS(CUpti_Profiler_Host_ConfigAddMetrics_Params);
  add.pHostObject = host_;
  add.ppMetricNames = names.data();
  add.numMetrics = names.size();
  cupti_check(cupti().ProfilerHostConfigAddMetrics(&add), "cuptiProfilerHostConfigAddMetrics");

  auto size = ATTNSCOPE_CUPTI_PARAMS(CUpti_Profiler_Host_GetConfigImageSize_Params);
  size.pHostObject = host_;
  cupti_check(cupti().ProfilerHostGetConfigImageSize(&size), "cuptiProfilerHostGetConfigImageSize");

  std::vector<std::uint8_t> configuration(size.configImageSize);
  auto image = ATTNSCOPE_CUPTI_PARAMS(CUpti_Profiler_Host_GetConfigImage_Params);
  image.pHostObject = host_;
  image.configImageSize = configuration.size();
  image.pConfigImage = configuration.data();
  cupti_check(cupti().ProfilerHostGetConfigImage(&image), "cuptiProfilerHostGetConfigImage");
  return configuration;
}

std::size_t MetricHost::passes(std::span<std::uint8_t> configuration) {
  auto params = ATTNSCOPE_CUPTI_PARAMS(CUpti_Profiler_Host_GetNumOfPasses_Params);
  params.configImageSize = configuration.size();
  params.pConfigImage = configuration.data();
  cupti_check(cupti().ProfilerHostGetNumOfPasses(&params), "cuptiProfilerHostGetNumOfPasses");
  return params.numOfPasses;
}

std::vector<double> MetricHost::evaluate(std::span<const std::uint8_t> counter_data, std::size_t index,
                                         std::span<const std::string> metrics) const {
  std::vector<const char*> names = c_strings(metrics);
  std::vector<double> values(names.size());
  auto params = ATTNSCOPE_CUPTI_PARAMS(CUpti_Profiler_Host_EvaluateToGpuValues_Params);
  params.pHostObject = host_;
  params.pCounterDataImage = counter_data.data();
  params.counterDataImageSize = counter_data.size();
  params.rangeIndex = index;
  params.ppMetricNames = names.data();
  params.numMetrics = names.size();
  params.pMetricValues = values.data();
  cupti_check(cupti().ProfilerHostEvaluateToGpuValues(&params), "cuptiProfilerHostEvaluateToGpuValues");
  return values;
}

std::vector<const char*> c_strings(std::span<const std::string> strings) {
  std::vector<const char*> pointers;
  for (const std::string& text : strings) pointers.push_back(text.c_str());
  return pointers;
}

}  // namespace attnscope
