// SPDX-License-Identifier: Apache-2.0
#include "harness/workload/safetensors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <tuple>

#include "harness/base/error.hpp"
#include "harness/base/strict_json.hpp"
#include "harness/workload/safetensors_dtype.hpp"

namespace attnscope {
namespace {

using nlohmann::json;

constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;  // the format's own limit
constexpr std::uint64_t kLengthBytes = 8;

static_assert(std::endian::native == std::endian::little, "tensors are used as they lie in the file");

[[noreturn]] void fail(const std::string& where, const std::string& tensor, const std::string& what) {
  throw InputError(fmt::format("{}: tensor {}: {}", where, quote(tensor), what));
}

std::string_view header_text(std::span<const std::byte> file, const std::string& where) {
  if (file.size() < kLengthBytes)
    throw InputError(
        fmt::format("{}: expected a safetensors file, which starts with an 8-byte header length, found {} bytes", where,
                    file.size()));
  std::uint64_t length = 0;
  std::memcpy(&length, file.data(), sizeof length);
  const std::uint64_t most = std::min<std::uint64_t>(kMaxHeaderBytes, file.size() - kLengthBytes);
  if (length > most)
    throw InputError(fmt::format("{}: safetensors header length: expected at most {} in a file of {} bytes, found {}",
                                 where, most, file.size(), length));
  const std::string_view text{reinterpret_cast<const char*>(file.data()) + kLengthBytes, length};
  if (!text.starts_with('{'))
    throw InputError(fmt::format("{}: safetensors header: expected it to start with '{{'", where));
  return text;
}

std::vector<std::int64_t> parse_dims(const json& value, const std::string& where, const std::string& name) {
  if (!value.is_array())
    fail(where, name, fmt::format("shape: expected an array of dimensions, found {}", quote(value)));
  std::vector<std::int64_t> dims;
  for (const json& dim : value) {
    if (!dim.is_number_unsigned() || dim.get<std::uint64_t>() > kMaxTensorBytes)
      fail(where, name, fmt::format("shape: expected dimensions from 0 to 2^62, found {}", quote(value)));
    dims.push_back(dim.get<std::int64_t>());
  }
  return dims;
}

// [begin, end), relative to the start of the data, which spans `data_bytes`.
std::array<std::uint64_t, 2> parse_offsets(const json& value, std::uint64_t data_bytes, const std::string& where,
                                           const std::string& name) {
  const bool pair =
      value.is_array() && value.size() == 2 && value[0].is_number_unsigned() && value[1].is_number_unsigned();
  if (!pair) fail(where, name, fmt::format("data_offsets: expected [begin, end], found {}", quote(value)));
  const std::array offsets{value[0].get<std::uint64_t>(), value[1].get<std::uint64_t>()};
  if (offsets[0] > offsets[1] || offsets[1] > data_bytes)
    fail(where, name,
         fmt::format("data_offsets: expected begin <= end <= {} (the bytes after the header), found {}", data_bytes,
                     quote(value)));
  return offsets;
}

const json& member(const json& fields, const char* key, const std::string& where, const std::string& name) {
  const auto found = fields.find(key);
  if (found == fields.end()) fail(where, name, fmt::format("expected the key \"{}\", found {}", key, quote(fields)));
  return *found;
}

SafetensorsEntry parse_entry(const std::string& name, const json& fields, std::uint64_t data_bytes,
                             const std::string& where) {
  if (!fields.is_object() || fields.size() != 3)
    fail(where, name, fmt::format("expected an object of dtype, shape and data_offsets, found {}", quote(fields)));
  const json& dtype = member(fields, "dtype", where, name);
  const auto width = dtype.is_string() ? width_of_safetensors(dtype.get<std::string>()) : std::nullopt;
  if (!width)
    fail(where, name, fmt::format("dtype: expected one of {}, found {}", known_safetensors_dtypes(), quote(dtype)));
  const json& shape = member(fields, "shape", where, name);
  const auto dims = parse_dims(shape, where, name);
  const auto bytes = tensor_bytes(dims, *width);
  if (!bytes) fail(where, name, fmt::format("shape: {} of {} needs more than 2^62 bytes", quote(shape), quote(dtype)));
  const auto [begin, end] = parse_offsets(member(fields, "data_offsets", where, name), data_bytes, where, name);
  if (end - begin != *bytes)
    fail(where, name,
         fmt::format("data_offsets: expected {} bytes for {} of {}, found {}", *bytes, quote(shape), quote(dtype),
                     end - begin));
  return {.name = name, .dtype = dtype.get<std::string>(), .dims = dims, .begin = begin, .end = end};
}

std::map<std::string, std::string> parse_metadata(const json& value, const std::string& where) {
  if (!value.is_object() || !std::ranges::all_of(value, [](const json& text) { return text.is_string(); }))
    throw InputError(fmt::format("{}: __metadata__: expected an object of strings, found {}", where, quote(value)));
  return value.get<std::map<std::string, std::string>>();
}

// The tensors must tile [0, data_bytes): overlaps would alias two tensors, gaps would hide bytes.
void check_tiling(std::vector<SafetensorsEntry>& entries, std::uint64_t data_bytes, const std::string& where) {
  std::ranges::sort(entries, {}, [](const SafetensorsEntry& entry) { return std::tie(entry.begin, entry.end); });
  std::uint64_t expected = 0;
  for (const SafetensorsEntry& entry : entries) {
    if (entry.begin != expected)
      fail(where, entry.name,
           fmt::format("data_offsets: expected to begin at {}, where the tensor before it ends, found {}", expected,
                       entry.begin));
    expected = entry.end;
  }
  if (expected != data_bytes)
    throw InputError(
        fmt::format("{}: expected {} bytes of tensors after the header, found {}", where, expected, data_bytes));
}

}  // namespace

SafetensorsHeader parse_safetensors(std::span<const std::byte> file, const std::string& where) {
  const std::string_view text = header_text(file, where);
  const std::uint64_t data_begin = kLengthBytes + text.size();
  const std::uint64_t data_bytes = file.size() - data_begin;
  const json root = parse_json(text, where);  // an object: it starts with '{'
  SafetensorsHeader header;
  for (const auto& [name, value] : root.items()) {
    if (name == "__metadata__")
      header.metadata = parse_metadata(value, where);
    else
      header.entries.push_back(parse_entry(name, value, data_bytes, where));
  }
  check_tiling(header.entries, data_bytes, where);
  for (SafetensorsEntry& entry : header.entries) {
    entry.begin += data_begin;
    entry.end += data_begin;
  }
  return header;
}

SafetensorsFile SafetensorsFile::open(const std::string& path) {
  MappedFile file(path);
  SafetensorsHeader header = parse_safetensors(file.bytes(), path);
  return {path, std::move(file), std::move(header)};
}

const SafetensorsEntry* SafetensorsFile::find(std::string_view name) const {
  const auto found = std::ranges::find(header_.entries, name, &SafetensorsEntry::name);
  return found == header_.entries.end() ? nullptr : &*found;
}

std::span<const std::byte> SafetensorsFile::bytes(const SafetensorsEntry& entry) const {
  return file_.bytes().subspan(entry.begin, entry.end - entry.begin);
}

}  // namespace attnscope
