// SPDX-License-Identifier: Apache-2.0
#include "harness/measure/cpu_cache.hpp"

#include <cassert>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace attnscope {

#if defined(__x86_64__)

bool can_flush_cpu_caches() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  constexpr unsigned kClflushopt = 1u << 23;  // leaf 7, EBX
  return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (ebx & kClflushopt);
}

[[gnu::target("clflushopt")]] void flush_cpu_caches(const void* data, std::size_t bytes) {
  constexpr std::size_t kLine = 64;
  const char* line = static_cast<const char*>(data);
  for (std::size_t offset = 0; offset < bytes; offset += kLine) _mm_clflushopt(const_cast<char*>(line + offset));
  _mm_mfence();
}

#else

bool can_flush_cpu_caches() { return false; }
void flush_cpu_caches(const void*, std::size_t) { assert(!"flush_cpu_caches needs can_flush_cpu_caches()"); }

#endif

}  // namespace attnscope
