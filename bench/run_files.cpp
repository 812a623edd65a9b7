// SPDX-License-Identifier: Apache-2.0
#include "bench/run_files.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "harness/base/error.hpp"
#include "harness/record/journal.hpp"

namespace attnscope {
namespace fs = std::filesystem;

RunFiles::RunFiles(std::string record, bool resume) : record_(std::move(record)) {
  std::error_code error;
  if (fs::is_directory(record_)) throw InputError(fmt::format("{}: expected a file to write, found a folder", record_));
  const fs::path folder = fs::path(record_).parent_path();
  if (!folder.empty() && !fs::exists(folder)) fs::create_directory(folder, error);
  if (error) throw InputError(fmt::format("{}: cannot make the folder: {}", folder.string(), error.message()));

  if (!resume) fs::remove(journal(), error);
  const bool record_writable = !fs::exists(record_) || std::ofstream(record_, std::ios::app);
  if (!record_writable || !std::ofstream(journal(), std::ios::app))
    throw InputError(fmt::format("{}: cannot be written", record_));
  fs::remove_all(work(), error);  // of a run that was killed
  fs::create_directory(work(), error);
  if (error) throw InputError(fmt::format("{}: cannot make the folder: {}", work(), error.message()));
  for (record::Point& point : record::read_journal(journal()))
    finished_[record::key(point)].push_back(std::move(point));
}

RunFiles::~RunFiles() {
  std::error_code ignored;
  fs::remove_all(work(), ignored);
  if (fs::exists(journal(), ignored) && fs::file_size(journal(), ignored) == 0) fs::remove(journal(), ignored);
}

std::string RunFiles::report() const { return fs::path(record_).replace_extension().string() + "-report"; }

void RunFiles::keep(const record::Point& point) {
  record::append_point(journal(), point);
  finished_[record::key(point)].push_back(point);
}

void RunFiles::complete() { fs::remove(journal()); }

}  // namespace attnscope
