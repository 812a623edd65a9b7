// SPDX-License-Identifier: Apache-2.0
// One element of a pooled row, on the host and on the GPU: the same operations in the same order.
#pragma once

#include <cstdint>

#include "harness/base/kv_cache.hpp"
#include "kernels/select/observe.hpp"

namespace attnscope::select {

ATTNSCOPE_HOST_DEVICE inline float pooled_at(const float* row, std::int64_t prefix, const Pool& pool, std::int64_t j) {
  const std::int64_t reach = pool.width / 2;
  const std::int64_t begin = j < reach ? 0 : j - reach;
  const std::int64_t end = j + reach + 1 < prefix ? j + reach + 1 : prefix;
  float value = row[begin];
  for (std::int64_t n = begin + 1; n < end; ++n) {
    if (pool.kind == Pool::Kind::mean)
      value += row[n];
    else
      value = row[n] > value ? row[n] : value;
  }
  return pool.kind == Pool::Kind::mean ? value / static_cast<float>(pool.width) : value;
}

}  // namespace attnscope::select
