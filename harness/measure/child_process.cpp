// SPDX-License-Identifier: Apache-2.0
#include "harness/measure/child_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>

#include "harness/base/error.hpp"

extern char** environ;

namespace attnscope {
namespace {

constexpr int kPollMilliseconds = 5;

/// The read end of a pipe; keeps the last non-empty line that went through.
class LastLine {
 public:
  LastLine() {
    if (pipe2(ends_.data(), O_CLOEXEC) != 0) throw Error(fmt::format("pipe: {}", std::strerror(errno)));
    fcntl(ends_[0], F_SETFL, O_NONBLOCK);
  }
  LastLine(const LastLine&) = delete;
  LastLine& operator=(const LastLine&) = delete;
  ~LastLine() {
    close(ends_[0]);
    close_writer();
  }

  int writer() const { return ends_[1]; }
  void close_writer() {
    if (ends_[1] >= 0) close(ends_[1]);
    ends_[1] = -1;
  }

  /// Waits a moment for more, or for the end, and takes what is there.
  void take() {
    pollfd entry{ends_[0], POLLIN, 0};
    poll(&entry, open_ ? 1 : 0, kPollMilliseconds);
    std::array<char, 4096> buffer;
    ssize_t count = 0;
    while ((count = read(ends_[0], buffer.data(), buffer.size())) > 0)
      for (const char c : std::string_view(buffer.data(), static_cast<std::size_t>(count))) add(c);
    if (count == 0) open_ = false;
  }

  std::string line() const { return current_.empty() ? last_ : current_; }

 private:
  void add(char c) {
    constexpr std::size_t kLongest = 2000;
    if (c == '\n') {
      if (!current_.empty()) last_ = std::move(current_);
      current_.clear();
    } else if (current_.size() < kLongest) {
      current_ += c;
    }
  }

  std::array<int, 2> ends_{-1, -1};
  bool open_ = true;
  std::string current_, last_;
};

pid_t spawn(const std::vector<std::string>& arguments, int error_descriptor) {
  std::vector<char*> argv{const_cast<char*>("attnscope")};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, error_descriptor, STDERR_FILENO);
  pid_t pid = 0;
  const int status = posix_spawn(&pid, "/proc/self/exe", &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (status != 0) throw Error(fmt::format("posix_spawn of /proc/self/exe: {}", std::strerror(status)));
  return pid;
}

}  // namespace

ChildResult run_child(const std::vector<std::string>& arguments, double timeout_seconds,
                      const std::function<bool()>& stop) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::duration<double>(timeout_seconds);
  LastLine errors;
  const pid_t pid = spawn(arguments, errors.writer());
  errors.close_writer();

  ChildResult result;
  int status = 0;
  while (waitpid(pid, &status, WNOHANG) == 0) {
    errors.take();
    if (!result.timed_out && Clock::now() >= deadline) result.timed_out = true, kill(pid, SIGKILL);
    if (!result.stopped && stop()) result.stopped = true, kill(pid, SIGKILL);
  }
  errors.take();
  result.last_error = errors.line();
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  return result;
}

void follow_parent() {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::ofstream("/proc/self/oom_score_adj") << 1000;
}

}  // namespace attnscope
