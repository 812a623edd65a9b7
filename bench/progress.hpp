// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace attnscope {

/// A live line on stderr with the point in work and the time that is left; silent unless stderr is a terminal.
class Progress {
 public:
  /// `total` points will be measured.
  Progress(std::size_t total, bool quiet);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  /// Clears the line.
  ~Progress();

  /// Says that measuring of the next point, described by `what`, begins.
  void next(const std::string& what);

 private:
  std::size_t total_;
  std::size_t started_ = 0;
  bool visible_;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace attnscope
