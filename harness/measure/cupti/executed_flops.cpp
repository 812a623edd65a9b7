// SPDX-License-Identifier: Apache-2.0
#include "harness/measure/cupti/profiler.hpp"

namespace attnscope {

std::optional<double> executed_flops(const std::map<std::string, double>& counters) {
  if (!counters.contains("tensor_flops") || !counters.contains("fp_flops")) return std::nullopt;
  double total = 0;
  for (const char* name : {"tensor_flops", "tensor_bf16_flops", "fp_flops"})
    if (const auto found = counters.find(name); found != counters.end()) total += found->second;
  return total;
}

}  // namespace attnscope
