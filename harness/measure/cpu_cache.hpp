// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace attnscope {

/// Whether this processor can write back and drop single cache lines (x86 clflushopt).
bool can_flush_cpu_caches();

/// Drops [data, data + bytes) from every cache level of every core. Needs can_flush_cpu_caches().
void flush_cpu_caches(const void* data, std::size_t bytes);

}  // namespace attnscope
