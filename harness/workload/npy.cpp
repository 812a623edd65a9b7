// SPDX-License-Identifier: Apache-2.0
#include "harness/workload/npy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/base/output_file.hpp"
#include "harness/base/strict_json.hpp"
#include "harness/workload/safetensors_dtype.hpp"

namespace attnscope {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kPreambleBytes = 10;  // magic, version (major, minor), 2-byte header length; version 1

constexpr std::array<std::pair<std::string_view, Dtype>, 4> kDescrs{
    {{"<f4", Dtype::f32}, {"<f2", Dtype::f16}, {"|V2", Dtype::bf16}, {"<V2", Dtype::bf16}}};

[[noreturn]] void fail(const std::string& where, const std::string& expected, std::string_view found) {
  throw InputError(fmt::format("{}: npy: expected {}, found {}", where, expected, quote(found.substr(0, 40))));
}

// The header is a Python dict literal of exactly the keys descr, fortran_order and shape, in any order.
class HeaderParser {
 public:
  HeaderParser(std::string_view text, const std::string& where) : rest_(text), where_(where) {}

  NpyArray parse() {
    expect('{');
    while (!take('}')) {
      const std::string_view key = string("a quoted key");
      expect(':');
      if (key == "descr" && !dtype_)
        dtype_ = descr();
      else if (key == "fortran_order" && !c_order_)
        c_order_ = order();
      else if (key == "shape" && !dims_)
        dims_ = shape();
      else
        fail(where_, "the keys descr, fortran_order and shape, each once", key);
      if (!take(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    if (!rest_.empty()) fail(where_, "nothing after the header's '}'", rest_);
    if (!dtype_ || !c_order_ || !dims_) fail(where_, "the keys descr, fortran_order and shape", "fewer");
    return {.dtype = *dtype_, .dims = std::move(*dims_), .data = {}};
  }

 private:
  void skip_space() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size())); }

  bool take(char symbol) {
    skip_space();
    if (!rest_.starts_with(symbol)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  void expect(char symbol) {
    if (!take(symbol)) fail(where_, fmt::format("'{}' in the header", symbol), rest_);
  }

  std::string_view string(const std::string& what) {
    skip_space();
    const char mark = rest_.empty() ? '\0' : rest_.front();
    const std::size_t end = mark == '\'' || mark == '"' ? rest_.find(mark, 1) : std::string_view::npos;
    if (end == std::string_view::npos) fail(where_, what, rest_);
    const std::string_view text = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return text;
  }

  Dtype descr() {
    const std::string what = "descr '<f4', '<f2' or '|V2' (bfloat16)";
    const std::string_view text = string(what);
    for (const auto& [name, dtype] : kDescrs)
      if (name == text) return dtype;
    fail(where_, what, text);
  }

  bool order() {
    skip_space();
    if (rest_.starts_with("True")) fail(where_, "C order (numpy.ascontiguousarray makes it so)", "fortran_order: True");
    if (!rest_.starts_with("False")) fail(where_, "fortran_order False", rest_);
    rest_.remove_prefix(5);
    return true;
  }

  std::vector<std::int64_t> shape() {
    std::vector<std::int64_t> dims;
    expect('(');
    while (!take(')')) {
      skip_space();
      std::int64_t dim = 0;
      const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), dim);
      if (error != std::errc{} || dim < 0) fail(where_, "shape: dimensions from 0 to 2^63 - 1", rest_);
      rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
      dims.push_back(dim);
      if (!take(',')) {
        expect(')');
        break;
      }
    }
    return dims;
  }

  std::string_view rest_;
  const std::string& where_;
  std::optional<Dtype> dtype_;
  std::optional<bool> c_order_;
  std::optional<std::vector<std::int64_t>> dims_;
};

}  // namespace

NpyArray parse_npy(std::span<const std::byte> file, const std::string& where) {
  const std::string_view text{reinterpret_cast<const char*>(file.data()), file.size()};
  if (!text.starts_with(kMagic) || text.size() < kPreambleBytes)
    fail(where, "a file that starts with \\x93NUMPY", text);
  const int major = std::to_integer<int>(file[6]);
  if (major < 1 || major > 3) fail(where, "format version 1, 2 or 3", std::to_string(major));
  const std::size_t length_bytes = major == 1 ? 2 : 4;
  const std::size_t header_begin = kMagic.size() + 2 + length_bytes;
  if (file.size() < header_begin) fail(where, "a whole header", "a truncated file");
  std::size_t length = 0;
  for (std::size_t i = 0; i < length_bytes; ++i)
    length |= std::to_integer<std::size_t>(file[kMagic.size() + 2 + i]) << (8 * i);
  if (length > file.size() - header_begin)
    fail(where, fmt::format("a header of {} bytes", length), fmt::format("{} bytes", file.size() - header_begin));

  NpyArray array = HeaderParser(text.substr(header_begin, length), where).parse();
  array.data = file.subspan(header_begin + length);
  const auto bytes = tensor_bytes(array.dims, static_cast<std::uint64_t>(size_of(array.dtype)));
  if (!bytes) fail(where, "an array of at most 2^62 bytes", fmt::format("shape ({})", fmt::join(array.dims, ", ")));
  if (array.data.size() != *bytes)
    fail(where, fmt::format("{} bytes of data for shape ({})", *bytes, fmt::join(array.dims, ", ")),
         fmt::format("{} bytes", array.data.size()));
  return array;
}

void write_npy(const std::string& path, const NpyArray& array) {
  const auto* const descr = std::ranges::find(kDescrs, array.dtype, [](const auto& entry) { return entry.second; });
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}", descr->first,
                                   fmt::join(array.dims, ", "), array.dims.size() == 1 ? "," : "");
  // Spaces and a newline bring the data to a multiple of 64 bytes, as the format asks.
  header.append(63 - (kPreambleBytes + header.size()) % 64, ' ');
  header += '\n';
  OutputFile file(path);
  file.write(kMagic);
  file.write(std::string{'\1', '\0', static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)});
  file.write(header);
  file.write(array.data);
  file.commit();
}

}  // namespace attnscope
