// SPDX-License-Identifier: Apache-2.0
// What else the machine did meanwhile.
#pragma once

#include <optional>

namespace attnscope {

/// Watches the CPUs from its construction on.
class OtherWork {
 public:
  OtherWork();
  /// Share of the CPU time of the whole machine that neither this process nor the children it has waited for have used,
  /// time stolen by a hypervisor included; nothing where /proc/stat does not tell.
  std::optional<double> share() const;

 private:
  /// In clock ticks, summed over the CPUs.
  struct Ticks {
    double all = 0;
    double busy = 0;
    double ours = 0;
  };
  static Ticks now();

  Ticks start_;
};

}  // namespace attnscope
