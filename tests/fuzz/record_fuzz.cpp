// SPDX-License-Identifier: Apache-2.0
// A record; what is accepted must survive being written and read again.
#include <string_view>

#include "harness/record/file.hpp"
#include "tests/fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace attnscope;
  record::Record parsed;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  if (!fuzz::accepts([&] { parsed = record::parse_record(text, "fuzz"); })) return 0;
  const std::string written = record::record_text(parsed);
  fuzz::require(record::record_text(record::parse_record(written, "fuzz")) == written);
  return 0;
}
