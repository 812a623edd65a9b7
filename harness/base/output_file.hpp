// SPDX-License-Identifier: Apache-2.0
// A file that exists whole or not at all: written under a temporary name beside its target, then renamed over it.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace attnscope {

/// Removes the temporary file unless `commit` was called. Every failure throws InputError naming the path and the
/// reason.
class OutputFile {
 public:
  explicit OutputFile(std::string path);
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  ~OutputFile();

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(std::as_bytes(std::span{text})); }
  /// Closes the file and gives it its name, replacing what was there.
  void commit();

 private:
  [[noreturn]] void fail(const char* attempt) const;

  std::string path_;
  std::string temporary_;
  int descriptor_ = -1;
};

}  // namespace attnscope
