// SPDX-License-Identifier: Apache-2.0
#include "harness/base/text_file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "harness/base/error.hpp"
#include "harness/base/output_file.hpp"

namespace attnscope {

std::string read_text(const std::string& path) {
  if (std::filesystem::is_directory(path)) throw InputError(fmt::format("{}: expected a file, found a folder", path));
  std::ifstream file(path, std::ios::binary);
  if (!file) throw InputError(fmt::format("{}: cannot be read: {}", path, std::strerror(errno)));
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

void write_text(const std::string& path, std::string_view text) {
  OutputFile file(path);
  file.write(text);
  file.commit();
}

}  // namespace attnscope
