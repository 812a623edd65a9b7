// SPDX-License-Identifier: Apache-2.0
#include "bench/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>

namespace attnscope {
namespace {

constexpr const char* kClearLine = "\r\033[K";

std::string duration_text(double seconds) {
  const auto whole = std::lround(seconds);
  return whole < 60 ? fmt::format("{} s", whole) : fmt::format("{} min {:02} s", whole / 60, whole % 60);
}

}  // namespace

Progress::Progress(std::size_t total, bool quiet)
    : total_(total), visible_(!quiet && isatty(STDERR_FILENO)), start_(std::chrono::steady_clock::now()) {}

Progress::~Progress() {
  if (visible_) fmt::print(stderr, "{}", kClearLine);
}

void Progress::next(const std::string& what) {
  const std::size_t done = started_++;
  if (!visible_) return;
  std::string left;
  if (done > 0) {
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start_;
    left = ", about " +
           duration_text(elapsed.count() / static_cast<double>(done) * static_cast<double>(total_ - done)) + " left";
  }
  fmt::print(stderr, "{}[{}/{}{}] {}", kClearLine, started_, total_, left, what);
  std::fflush(stderr);
}

}  // namespace attnscope
