// SPDX-License-Identifier: Apache-2.0
#include "harness/measure/cupti/calibration.hpp"

namespace attnscope {

nlohmann::json to_json(const Calibration& calibration) {
  nlohmann::json json = nlohmann::json::object();
  const auto put = [&](const char* key, const std::optional<double>& value) {
    if (value) json[key] = *value;
  };
  put("tensor_flops_factor", calibration.tensor_flops_factor);
  put("fp_flops_factor", calibration.fp_flops_factor);
  put("fp_half_flops_factor", calibration.fp_half_flops_factor);
  put("dram_read_factor", calibration.dram_read_factor);
  put("dram_write_factor", calibration.dram_write_factor);
  put("range_overhead_ns", calibration.range_overhead_ns);
  if (!calibration.how.empty()) json["how"] = calibration.how;
  if (!calibration.reason.empty()) json["reason"] = calibration.reason;
  return json;
}

}  // namespace attnscope
