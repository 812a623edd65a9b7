// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "harness/base/error.hpp"
#include "harness/base/output_file.hpp"
#include "harness/base/strict_json.hpp"
#include "harness/workload/safetensors.hpp"
#include "harness/workload/safetensors_dtype.hpp"

namespace attnscope {
namespace {

using nlohmann::json;

constexpr std::size_t kDataAlignment = 64;  // of a mapped tensor: what AttentionInputs asks for

std::uint64_t bytes_of(const TensorToWrite& tensor) {
  const auto width = width_of_safetensors(tensor.dtype);
  if (!width)
    throw Error(fmt::format("tensor {}: dtype {} is not one of safetensors", quote(tensor.name), tensor.dtype));
  for (const std::int64_t dim : tensor.dims)
    if (dim < 0) throw Error(fmt::format("tensor {}: dimension {} is negative", quote(tensor.name), dim));
  const auto bytes = tensor_bytes(tensor.dims, *width);
  if (!bytes) throw Error(fmt::format("tensor {}: needs more than 2^62 bytes", quote(tensor.name)));
  if (*bytes > 0 && tensor.data == nullptr) throw Error(fmt::format("tensor {}: has no data", quote(tensor.name)));
  return *bytes;
}

// The length, then the JSON, padded with spaces (which the format allows) to the alignment of the data.
std::string header_of(std::span<const TensorToWrite> tensors, const std::map<std::string, std::string>& metadata) {
  json root = json::object();
  if (!metadata.empty()) root["__metadata__"] = metadata;
  std::uint64_t begin = 0;
  for (const TensorToWrite& tensor : tensors) {
    const std::uint64_t end = begin + bytes_of(tensor);
    if (root.contains(tensor.name) || tensor.name == "__metadata__")
      throw Error(fmt::format("tensor {}: the name is taken", quote(tensor.name)));
    root[tensor.name] = {{"dtype", tensor.dtype}, {"shape", tensor.dims}, {"data_offsets", {begin, end}}};
    begin = end;
  }
  std::string text = root.dump();
  std::uint64_t length = text.size();
  length += (kDataAlignment - (sizeof length + length) % kDataAlignment) % kDataAlignment;
  text.resize(length, ' ');
  std::string header(sizeof length, '\0');
  std::memcpy(header.data(), &length, sizeof length);
  return header + text;
}

}  // namespace

void write_safetensors(const std::string& path, std::span<const TensorToWrite> tensors,
                       const std::map<std::string, std::string>& metadata) {
  const std::string header = header_of(tensors, metadata);
  OutputFile file(path);
  file.write(header);
  for (const TensorToWrite& tensor : tensors)
    file.write({static_cast<const std::byte*>(tensor.data), bytes_of(tensor)});
  file.commit();
}

}  // namespace attnscope
