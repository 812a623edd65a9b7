// SPDX-License-Identifier: Apache-2.0
#include "harness/record/journal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "harness/base/error.hpp"
#include "harness/base/strict_json.hpp"
#include "harness/base/text_file.hpp"
#include "harness/record/json.hpp"
#include "harness/record/schema.hpp"

namespace attnscope::record {
namespace {

// Lines end in '\n'; what follows the last one was cut off while being written.
std::size_t complete_bytes(const std::string& text) {
  const std::size_t last = text.rfind('\n');
  return last == std::string::npos ? 0 : last + 1;
}

bool append_and_sync(const std::string& path, std::string_view line) {
  const int file = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) return false;
  const bool written =
      ::write(file, line.data(), line.size()) == static_cast<ssize_t>(line.size()) && ::fsync(file) == 0;
  const int cause = errno;
  ::close(file);
  errno = cause;
  return written;
}

}  // namespace

void append_point(const std::string& path, const Point& point) {
  if (std::filesystem::exists(path)) {
    const std::string text = read_text(path);
    if (const std::size_t kept = complete_bytes(text); kept < text.size()) std::filesystem::resize_file(path, kept);
  }
  const std::string line = text_of(to_json(point)) + "\n";
  if (const auto violation = point_schema_violation(nlohmann::json::parse(line)))
    throw Error(fmt::format("{}: not written, the point does not fit the schema: {}", path, *violation));
  if (!append_and_sync(path, line))
    throw InputError(fmt::format("{}: cannot be written: {}", path, std::strerror(errno)));
}

std::vector<Point> read_journal(const std::string& path) {
  std::vector<Point> points;
  if (!std::filesystem::exists(path)) return points;
  const std::string text = read_text(path);
  const std::size_t end = complete_bytes(text);
  for (std::size_t begin = 0, line = 1; begin < end; ++line) {
    const std::size_t length = text.find('\n', begin) - begin;
    const std::string name = fmt::format("{}:{}", path, line);
    const nlohmann::json point = parse_json(std::string_view(text).substr(begin, length), name);
    if (const auto violation = point_schema_violation(point)) throw InputError(fmt::format("{}: {}", name, *violation));
    points.push_back(point_from_json(point));
    begin += length + 1;
  }
  return points;
}

}  // namespace attnscope::record
