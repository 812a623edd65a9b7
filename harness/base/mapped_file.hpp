// SPDX-License-Identifier: Apache-2.0
// A file as read-only memory: nothing is copied, and processes that map the same file share its pages.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace attnscope {

/// Move-only owner of one mapping; the bytes start at a page boundary. The file must not shrink while it is mapped.
class MappedFile {
 public:
  /// Throws InputError naming `path` and the reason when it cannot be opened as a regular file.
  explicit MappedFile(const std::string& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace attnscope
