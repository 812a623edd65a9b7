// SPDX-License-Identifier: Apache-2.0
#include "bench/dashboard_pictures.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "harness/base/text_file.hpp"
#include "reports/formats/formats.hpp"

namespace attnscope {
namespace fs = std::filesystem;
namespace {

// A folder of its own that goes when the object does.
class ScratchFolder {
 public:
  ScratchFolder() : path_((fs::temp_directory_path() / "attnscope-XXXXXX").string()) {
    if (!mkdtemp(path_.data())) path_.clear();
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// The exit status of the program, whose stdout nobody reads; −1 when it cannot be started or does not end by itself.
int run_quietly(std::string program, std::string record, std::string folder) {
  std::string export_option = "--export";
  char* const words[] = {program.data(), record.data(), export_option.data(), folder.data(), nullptr};
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int failed = posix_spawn(&child, program.c_str(), &files, nullptr, words, environ);
  posix_spawn_file_actions_destroy(&files);
  int status = 0;
  if (failed != 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

}  // namespace

DashboardPictures::DashboardPictures(const std::string& record_path) {
  std::error_code ignored;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored).parent_path() / "attnscope-viz";
  if (!fs::exists(program)) return;
  const ScratchFolder folder;
  if (folder.path().empty() || run_quietly(program, record_path, folder.path()) != 0) {
    fmt::print(stderr, "attnscope: {} could not draw {}: the report has the plain pictures\n", program.string(),
               record_path);
    return;
  }
  for (const auto& file : fs::directory_iterator(folder.path())) {
    const std::string text = read_text(file.path());
    if (const std::size_t begin = text.find("<svg"); begin != std::string::npos)
      drawn_[file.path().stem()] = text.substr(begin);  // without the prologue, which HTML does not want
  }
}

std::string DashboardPictures::of(const reports::Figure& figure) const {
  const auto found = drawn_.find(figure.name);
  return found == drawn_.end() ? reports::svg(figure) : found->second;
}

}  // namespace attnscope
