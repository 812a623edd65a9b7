// SPDX-License-Identifier: Apache-2.0
// CUPTI's database of metrics: what a chip can count, in how many passes, and how raw counts become values. Needs no
// GPU and no driver. MetricHost is only for builds with CUDA.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

struct CUpti_Profiler_Host_Object;

namespace attnscope {

/// Chips that the installed CUPTI can profile by ranges: "GA100", "GH100", ... Throws MachineError without CUPTI.
std::vector<std::string> supported_chips();

/// One set of metrics on one chip.
class MetricHost {
 public:
  /// `availability` is the device's counter availability image; empty for planning offline. Throws CuptiError for an
  /// unknown chip.
  explicit MetricHost(std::string chip, std::vector<std::uint8_t> availability = {});
  MetricHost(const MetricHost&) = delete;
  MetricHost& operator=(const MetricHost&) = delete;
  ~MetricHost();

  bool knows(const std::string& metric) const;
  /// The configuration that collects `metrics`; once per object. Throws CuptiError when one is unknown.
  std::vector<std::uint8_t> configure(std::span<const std::string> metrics);
  /// Executions that a configuration needs.
  static std::size_t passes(std::span<std::uint8_t> configuration);
  /// Values of `metrics`, in order, for range `index` of a decoded counter data image.
  std::vector<double> evaluate(std::span<const std::uint8_t> counter_data, std::size_t index,
                               std::span<const std::string> metrics) const;

 private:
  std::string chip_;  // CUPTI keeps pointers to both
  std::vector<std::uint8_t> availability_;
  CUpti_Profiler_Host_Object* host_ = nullptr;
};

/// The same strings as C pointers, valid while `strings` live unchanged.
std::vector<const char*> c_strings(std::span<const std::string> strings);

}  // namespace attnscope
