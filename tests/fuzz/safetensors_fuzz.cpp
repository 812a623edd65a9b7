// SPDX-License-Identifier: Apache-2.0
// The safetensors header, then the whole reader of problems on what passed it.
#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "harness/workload/file.hpp"
#include "harness/workload/safetensors.hpp"
#include "tests/fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace attnscope;
  const std::span<const std::byte> file{reinterpret_cast<const std::byte*>(data), size};
  const bool parsed = fuzz::accepts([&] {
    for (const SafetensorsEntry& entry : parse_safetensors(file, "fuzz").entries)
      fuzz::require(entry.begin <= entry.end && entry.end <= size);
  });
  if (!parsed) return 0;

  const int memory = ::memfd_create("problem", 0);  // a file without a disk, which can be mapped by its name
  fuzz::require(memory >= 0 && ::write(memory, data, size) == static_cast<ssize_t>(size));
  fuzz::accepts([&] {
    const MappedProblem problem = map_problem("/proc/self/fd/" + std::to_string(memory));
    fuzz::require(problem.hash().size() == 16);  // reads every byte of q, k and v
  });
  ::close(memory);
  return 0;
}
