// SPDX-License-Identifier: Apache-2.0
// CUPTI, opened when first asked for and never linked: once it is loaded, every CUDA call of the process is slower.
// Only for builds with CUDA.
#pragma once

#include <cupti_activity.h>
#include <cupti_profiler_host.h>
#include <cupti_profiler_target.h>
#include <cupti_range_profiler.h>
#include <cupti_target.h>

#include <string>
#include <string_view>
#include <type_traits>

#include "harness/base/error.hpp"

namespace attnscope {

/// The entry points that we use, with the prototypes of CUPTI's headers.
struct Cupti {
#define ATTNSCOPE_CUPTI_FUNCTIONS(X)         \
  X(GetResultString)                         \
  X(ActivityRegisterCallbacks)               \
  X(ActivityEnable)                          \
  X(ActivityDisable)                         \
  X(ActivityFlushAll)                        \
  X(ActivityGetNextRecord)                   \
  X(ActivityPushExternalCorrelationId)       \
  X(ActivityPopExternalCorrelationId)        \
  X(DeviceGetChipName)                       \
  X(ProfilerInitialize)                      \
  X(ProfilerDeviceSupported)                 \
  X(ProfilerGetCounterAvailability)          \
  X(ProfilerHostGetSupportedChips)           \
  X(ProfilerHostInitialize)                  \
  X(ProfilerHostDeinitialize)                \
  X(ProfilerHostGetMetricProperties)         \
  X(ProfilerHostConfigAddMetrics)            \
  X(ProfilerHostGetConfigImageSize)          \
  X(ProfilerHostGetConfigImage)              \
  X(ProfilerHostGetNumOfPasses)              \
  X(ProfilerHostEvaluateToGpuValues)         \
  X(RangeProfilerEnable)                     \
  X(RangeProfilerDisable)                    \
  X(RangeProfilerGetCounterDataSize)         \
  X(RangeProfilerCounterDataImageInitialize) \
  X(RangeProfilerSetConfig)                  \
  X(RangeProfilerStart)                      \
  X(RangeProfilerStop)                       \
  X(RangeProfilerPushRange)                  \
  X(RangeProfilerPopRange)                   \
  X(RangeProfilerDecodeData)                 \
  X(RangeProfilerGetCounterDataInfo)         \
  X(RangeProfilerCounterDataGetRangeInfo)
#define ATTNSCOPE_DECLARE(name) decltype(&cupti##name) name = nullptr;
  ATTNSCOPE_CUPTI_FUNCTIONS(ATTNSCOPE_DECLARE)
#undef ATTNSCOPE_DECLARE
};

/// CUPTI refused; the message names the call, the reason and what lifts it.
class CuptiError : public MachineError {
 public:
  CuptiError(CUptiResult status, std::string_view call);
  CUptiResult status() const { return status_; }

 private:
  CUptiResult status_;
};

/// Loads CUPTI on the first call. Throws MachineError naming where it was searched.
const Cupti& cupti();

/// Throws CuptiError unless `status` is success.
void cupti_check(CUptiResult status, std::string_view call);

/// A parameter block of CUPTI's profiler API: zeroed, its size filled in.
template <typename Params>
Params cupti_params(std::size_t struct_size) {
  static_assert(std::is_trivial_v<Params>);
  Params params{};
  params.structSize = struct_size;
  return params;
}
#define ATTNSCOPE_CUPTI_PARAMS(type) ::attnscope::cupti_params<type>(type##_STRUCT_SIZE)

}  // namespace attnscope
