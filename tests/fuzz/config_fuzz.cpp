// SPDX-License-Identifier: Apache-2.0
// A config; where the input holds a NUL, what precedes it is one --set option.
#include <string>

#include "harness/config/config.hpp"
#include "tests/fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace attnscope;
  std::string text{reinterpret_cast<const char*>(data), size};
  std::vector<std::string> overrides;
  if (const std::size_t end = text.find('\0'); end != std::string::npos) {
    overrides.push_back(text.substr(0, end));
    text.erase(0, end + 1);
  }
  fuzz::accepts([&] {
    for (const PointSpec& point : parse_config(text, "fuzz", overrides).points)
      fuzz::require(!point.method.empty() && !point.workload.empty() && point.shape.rows() > 0);
  });
  return 0;
}
