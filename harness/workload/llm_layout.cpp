// SPDX-License-Identifier: Apache-2.0
#include "harness/workload/llm_layout.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/base/error.hpp"
#include "harness/workload/portable_math.hpp"

namespace attnscope::llm {

Layout layout_for(std::int64_t head_dim) {
  if (head_dim == 128)
    return {.pairs = 64, .position = 44, .content = 14, .outlier = 58, .sink = 59, .sinks = 4, .heavy = 63};
  if (head_dim == 64)
    return {.pairs = 32, .position = 21, .content = 7, .outlier = 28, .sink = 29, .sinks = 2, .heavy = 31};
  throw InputError(fmt::format("workload llm: head_dim must be 64 or 128, found {}", head_dim));
}

double rope_base(const Layout& layout, std::int64_t context) {
  constexpr std::int64_t kShortest = 1024;  // keeps the ladder of frequencies spread in toy problems
  const double log_context = portable::log(static_cast<double>(std::max(context, kShortest)));
  return portable::exp(log_context * static_cast<double>(layout.pairs) / static_cast<double>(layout.position));
}

}  // namespace attnscope::llm
