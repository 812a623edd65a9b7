// SPDX-License-Identifier: Apache-2.0
// The safetensors file format: an 8-byte little-endian header length, a JSON header, then the tensors' bytes without
// gaps. https://huggingface.co/docs/safetensors
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/base/mapped_file.hpp"
#include "harness/base/shape.hpp"

namespace attnscope {

/// One tensor of a file. `begin` and `end` are byte offsets from the start of the file.
struct SafetensorsEntry {
  std::string name;
  std::string dtype;  // as the format spells it: "F32", "BF16", "U8", ...
  std::vector<std::int64_t> dims;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;  // in the order of their bytes
  std::map<std::string, std::string> metadata;
};

/// "F32", "F16" or "BF16".
std::string_view safetensors_dtype(Dtype dtype);
/// The inverse; nothing for the types that an attention problem cannot have.
std::optional<Dtype> dtype_of_safetensors(std::string_view dtype);

/// Reads and checks the header of a whole file held in `file`: its length, its JSON, that every dtype is known, every
/// shape agrees with its byte count, and that the tensors tile the data without gap or overlap.
/// Throws InputError naming `where`, the tensor, what was expected and found.
SafetensorsHeader parse_safetensors(std::span<const std::byte> file, const std::string& where);

/// An open file. Pointers into it live as long as it does, across moves too.
class SafetensorsFile {
 public:
  /// Throws InputError as parse_safetensors and MappedFile do.
  static SafetensorsFile open(const std::string& path);

  const std::string& path() const { return path_; }
  std::span<const SafetensorsEntry> entries() const { return header_.entries; }
  const std::map<std::string, std::string>& metadata() const { return header_.metadata; }
  /// Null when there is no tensor of that name.
  const SafetensorsEntry* find(std::string_view name) const;
  std::span<const std::byte> bytes(const SafetensorsEntry& entry) const;
  /// Gives up the mapping, for an owner of pointers into it that needs the header no more.
  MappedFile release() && { return std::move(file_); }

 private:
  SafetensorsFile(std::string path, MappedFile file, SafetensorsHeader header)
      : path_(std::move(path)), file_(std::move(file)), header_(std::move(header)) {}

  std::string path_;
  MappedFile file_;
  SafetensorsHeader header_;
};

/// A tensor to be written; `data` holds product(dims) · width bytes in host memory.
struct TensorToWrite {
  std::string name;
  std::string dtype;
  std::vector<std::int64_t> dims;
  const void* data = nullptr;
};

/// Writes `path` whole or not at all. The data begins at a multiple of 64 bytes; tensors follow each other in the order
/// given. Throws InputError when the path cannot be written, Error when a tensor is malformed or its name repeats.
void write_safetensors(const std::string& path, std::span<const TensorToWrite> tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace attnscope
