// SPDX-License-Identifier: Apache-2.0
#include "harness/workload/npy.hpp"
#include "tests/fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace attnscope;
  const std::span<const std::byte> file{reinterpret_cast<const std::byte*>(data), size};
  fuzz::accepts([&] {
    const NpyArray array = parse_npy(file, "fuzz");
    std::size_t bytes = static_cast<std::size_t>(size_of(array.dtype));
    for (const std::int64_t dim : array.dims) bytes *= static_cast<std::size_t>(dim);
    fuzz::require(array.data.size() == bytes && array.data.data() + bytes == file.data() + size);
  });
  return 0;
}
