// SPDX-License-Identifier: Apache-2.0
#include "harness/measure/cupti/library.hpp"

#include <fmt/format.h>

#include "harness/device/shared_library.hpp"

namespace attnscope {
namespace {

Cupti load() {
  const SharedLibrary library("libcupti.so.13", cuda_library_directories());
  if (!library)
    throw MachineError(fmt::format(
        "CUPTI not found; searched {}; install the CUPTI package of CUDA 13 or set CUDA_HOME", library.searched()));
  Cupti table;
#define ATTNSCOPE_LOAD(name)                                                             \
  table.name = library.find<std::remove_pointer_t<decltype(table.name)>>("cupti" #name); \
  if (!table.name) throw MachineError("CUPTI: the installed library lacks cupti" #name ", which CUDA 13.0 has");
  ATTNSCOPE_CUPTI_FUNCTIONS(ATTNSCOPE_LOAD)
#undef ATTNSCOPE_LOAD
  return table;
}

/// What a person can do about a refusal; empty where there is nothing to say beyond CUPTI's own name for it.
std::string_view remedy(CUptiResult status) {
  switch (status) {
    case CUPTI_ERROR_INSUFFICIENT_PRIVILEGES:
      return "counters are for administrators (ERR_NVGPUCTRPERM): run as root or with CAP_SYS_ADMIN (containers: "
             "--cap-add SYS_ADMIN), or load the driver with NVreg_RestrictProfilingToAdminUsers=0";
    case CUPTI_ERROR_MULTIPLE_SUBSCRIBERS_NOT_SUPPORTED:
      return "another profiler holds CUPTI in this process: run without nsys, ncu, cuda-gdb or compute-sanitizer";
    case CUPTI_ERROR_HARDWARE_BUSY:
      return "another process is profiling this GPU (DCGM, ncu, nsys): stop it";
    case CUPTI_ERROR_VIRTUALIZED_DEVICE_NOT_SUPPORTED:
      return "this vGPU cannot be profiled: use a whole GPU";
    case CUPTI_ERROR_VIRTUALIZED_DEVICE_INSUFFICIENT_PRIVILEGES:
      return "profiling is off for this vGPU: its host must set enable_profiling=1";
    case CUPTI_ERROR_CONFIDENTIAL_COMPUTING_NOT_SUPPORTED:
      return "confidential computing forbids profiling: switch it off or use another machine";
    case CUPTI_ERROR_CMP_DEVICE_NOT_SUPPORTED:
      return "mining cards (CMP) have no counters: use another GPU";
    case CUPTI_ERROR_MIG_DEVICE_NOT_SUPPORTED:
      return "this MIG slice cannot be profiled: use a GPU without MIG";
    case CUPTI_ERROR_WSL_DEVICE_NOT_SUPPORTED:
      return "WSL: enable 'Allow access to the GPU performance counters to all users' in Windows, or use Linux";
    case CUPTI_ERROR_INVALID_CHIP_NAME:
      return "the installed CUPTI does not know this chip: update it";
    default:
      return "";
  }
}

std::string message(CUptiResult status, std::string_view call) {
  const char* name = "unknown result";
  cupti().GetResultString(status, &name);
  const std::string_view help = remedy(status);
  return fmt::format("{}: {} ({}){}{}", call, name, static_cast<int>(status), help.empty() ? "" : ": ", help);
}

}  // namespace

CuptiError::CuptiError(CUptiResult status, std::string_view call)
    : MachineError(message(status, call)), status_(status) {}

const Cupti& cupti() {
  static const Cupti table = load();
  return table;
}

void cupti_check(CUptiResult status, std::string_view call) {
  if (status != CUPTI_SUCCESS) throw CuptiError(status, call);
}

}  // namespace attnscope
