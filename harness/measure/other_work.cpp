// SPDX-License-Identifier: Apache-2.0
#include "harness/measure/other_work.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <numeric>
#include <string>

namespace attnscope {

OtherWork::OtherWork() : start_(now()) {}

std::optional<double> OtherWork::share() const {
  const Ticks end = now();
  const double all = end.all - start_.all;
  if (all <= 0) return std::nullopt;
  return std::clamp((end.busy - start_.busy - (end.ours - start_.ours)) / all, 0.0, 1.0);
}

OtherWork::Ticks OtherWork::now() {
  Ticks ticks;
  std::ifstream file("/proc/stat");
  std::string name;
  std::array<double, 8> columns{};  // user nice system idle iowait irq softirq steal
  file >> name;
  for (double& column : columns) file >> column;
  ticks.all = std::accumulate(columns.begin(), columns.end(), 0.0);
  ticks.busy = ticks.all - columns[3] - columns[4];

  const auto ticks_per_second = static_cast<double>(sysconf(_SC_CLK_TCK));
  for (const int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage usage{};
    getrusage(who, &usage);
    for (const timeval& time : {usage.ru_utime, usage.ru_stime})
      ticks.ours += ticks_per_second * (static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec));
  }
  return ticks;
}

}  // namespace attnscope
