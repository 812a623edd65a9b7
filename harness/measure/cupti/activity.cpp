// SPDX-License-Identifier: Apache-2.0
#include "harness/measure/cupti/activity.hpp"

#include <cxxabi.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "harness/device/stream.hpp"
#include "harness/measure/cupti/library.hpp"

namespace attnscope {
namespace {

constexpr std::size_t kBufferBytes = 1 << 20;
constexpr auto kCorrelation = CUPTI_EXTERNAL_CORRELATION_KIND_CUSTOM0;

/// External correlation records precede API records only, so the runtime's and the driver's API records are on too.
constexpr std::array kActivities{
    CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION, CUPTI_ACTIVITY_KIND_RUNTIME, CUPTI_ACTIVITY_KIND_DRIVER,
    CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL,    CUPTI_ACTIVITY_KIND_MEMCPY,  CUPTI_ACTIVITY_KIND_MEMSET};

struct Launch {
  std::uint32_t correlation = 0;
  std::uint64_t start_ns = 0;  // since 1970: too large for the 53 bits of a double
  record::Kernel kernel;
};

/// What CUPTI delivered; its callbacks carry no user pointer and come on a thread of its own.
struct Delivered {
  std::mutex mutex;
  std::vector<Launch> launches;
  std::unordered_map<std::uint32_t, std::uint64_t> external;  // correlation id → external id
};
Delivered& delivered() {
  static Delivered instance;
  return instance;
}

std::string demangle(const char* name) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(abi::__cxa_demangle(name, nullptr, nullptr, &status),
                                                         &std::free);
  return status == 0 ? text.get() : name;
}

template <typename Record>
record::Kernel timed(const Record& activity, std::string name) {
  record::Kernel kernel;
  kernel.name = std::move(name);
  kernel.duration_ns = static_cast<double>(activity.end - activity.start);
  kernel.stream = activity.streamId;
  return kernel;
}

record::Kernel kernel_of(const CUpti_ActivityKernel10& activity) {
  record::Kernel kernel = timed(activity, demangle(activity.name));
  kernel.grid = {activity.gridX, activity.gridY, activity.gridZ};
  kernel.block = {activity.blockX, activity.blockY, activity.blockZ};
  kernel.registers = activity.registersPerThread;
  kernel.static_shared_bytes = activity.staticSharedMemory;
  kernel.dynamic_shared_bytes = activity.dynamicSharedMemory;
  return kernel;
}

template <typename Record>
const Record& as(const CUpti_Activity* activity) {
  return *reinterpret_cast<const Record*>(activity);
}

void take(const CUpti_Activity* activity) {
  Delivered& all = delivered();
  switch (activity->kind) {
    case CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL: {
      const auto& kernel = as<CUpti_ActivityKernel10>(activity);
      all.launches.push_back({kernel.correlationId, kernel.start, kernel_of(kernel)});
      break;
    }
    case CUPTI_ACTIVITY_KIND_MEMCPY: {
      const auto& copy = as<CUpti_ActivityMemcpy6>(activity);
      all.launches.push_back({copy.correlationId, copy.start, timed(copy, "memcpy")});
      break;
    }
    case CUPTI_ACTIVITY_KIND_MEMSET: {
      const auto& set = as<CUpti_ActivityMemset4>(activity);
      all.launches.push_back({set.correlationId, set.start, timed(set, "memset")});
      break;
    }
    case CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION: {
      const auto& link = as<CUpti_ActivityExternalCorrelation>(activity);
      all.external[link.correlationId] = link.externalId;
      break;
    }
    default:
      break;
  }
}

void CUPTIAPI give_buffer(std::uint8_t** buffer, std::size_t* bytes, std::size_t* max_records) {
  *buffer = static_cast<std::uint8_t*>(std::aligned_alloc(64, kBufferBytes));
  *bytes = *buffer ? kBufferBytes : 0;
  *max_records = 0;  // as many as fit
}

void CUPTIAPI take_buffer(CUcontext, std::uint32_t, std::uint8_t* buffer, std::size_t, std::size_t valid_bytes) {
  const std::scoped_lock lock(delivered().mutex);
  CUpti_Activity* activity = nullptr;
  while (cupti().ActivityGetNextRecord(buffer, valid_bytes, &activity) == CUPTI_SUCCESS) take(activity);
  std::free(buffer);
}

/// Collection of kActivities while it lives.
class Recording {
 public:
  Recording() {
    static const bool registered = [] {
      cupti_check(cupti().ActivityRegisterCallbacks(give_buffer, take_buffer), "cuptiActivityRegisterCallbacks");
      return true;
    }();
    static_cast<void>(registered);
    for (const CUpti_ActivityKind kind : kActivities) cupti_check(cupti().ActivityEnable(kind), "cuptiActivityEnable");
    const std::scoped_lock lock(delivered().mutex);
    delivered().launches.clear();
    delivered().external.clear();
  }
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;
  ~Recording() {
    for (const CUpti_ActivityKind kind : kActivities) cupti().ActivityDisable(kind);
  }
  /// Waits until CUPTI has delivered everything recorded.
  static void flush() {
    cupti_check(cupti().ActivityFlushAll(CUPTI_ACTIVITY_FLAG_FLUSH_FORCED), "cuptiActivityFlushAll");
  }
};

/// Gives every API call within a stage the stage's occurrence number, plus 1, as external id.
class ActivityObserver final : public StageLog {
 public:
  using StageLog::StageLog;

 protected:
  void enter(std::size_t occurrence) override {
    cupti_check(cupti().ActivityPushExternalCorrelationId(kCorrelation, occurrence + 1),
                "cuptiActivityPushExternalCorrelationId");
  }
  void leave() override {
    std::uint64_t last = 0;
    cupti_check(cupti().ActivityPopExternalCorrelationId(kCorrelation, &last), "cuptiActivityPopExternalCorrelationId");
  }
};

/// For every occurrence the number of earlier ones of its stage.
std::vector<std::size_t> ordinals(const std::vector<std::size_t>& occurrences, std::size_t stages) {
  std::vector<std::size_t> seen(stages), ordinals;
  for (const std::size_t stage : occurrences) ordinals.push_back(seen[stage]++);
  return ordinals;
}

}  // namespace

KernelTrace trace_kernels(const std::string& method, const std::function<void(StageObserver&)>& call) {
  ActivityObserver observer(method);
  {
    const Recording recording;
    call(observer);
    synchronize_gpu();
    observer.rethrow();
    Recording::flush();
  }
  const std::scoped_lock lock(delivered().mutex);
  std::vector<Launch>& launches = delivered().launches;
  std::ranges::sort(launches, {}, &Launch::start_ns);

  KernelTrace trace{observer.stages(), observer.occurrences(), ""};
  const std::vector<std::size_t> ordinal = ordinals(trace.occurrences, trace.stages.size());
  std::vector<record::Kernel> unstaged;
  std::size_t left_out = 0;
  for (Launch& launch : launches) {
    launch.kernel.start_ns = static_cast<double>(launch.start_ns - launches.front().start_ns);
    const auto link = delivered().external.find(launch.correlation);
    if (link == delivered().external.end())
      unstaged.push_back(launch.kernel);
    else if (const std::size_t occurrence = link->second - 1; ordinal[occurrence] < kListedOccurrences)
      trace.stages[trace.occurrences[occurrence]].kernels.push_back(launch.kernel);
    else
      ++left_out;
  }
  if (left_out > 0)
    trace.left_out = fmt::format("{} of {} kernels are not listed: those after a stage's first {} occurrences",
                                 left_out, launches.size(), kListedOccurrences);
  if (!unstaged.empty()) {
    trace.stages.emplace_back();
    trace.stages.back().name = "unstaged";
    trace.stages.back().kind = to_string(StageKind::attend);
    trace.stages.back().kernels = std::move(unstaged);
  }
  return trace;
}

}  // namespace attnscope
