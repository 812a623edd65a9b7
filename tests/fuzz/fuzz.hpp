// SPDX-License-Identifier: Apache-2.0
// What all fuzz targets share. A parser may refuse its input with an InputError of one line, and do nothing else:
// any other exception, a sanitizer's finding or a broken promise ends the run as a finding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "harness/base/error.hpp"

namespace attnscope::fuzz {

inline void require(bool promise) {
  if (!promise) std::abort();
}

/// Runs `parse`; false when it refused.
template <typename Parse>
bool accepts(Parse&& parse) {
  try {
    parse();
    return true;
  } catch (const InputError& refusal) {
    require(std::string{refusal.what()}.find('\n') == std::string::npos);
    return false;
  }
}

}  // namespace attnscope::fuzz
