// SPDX-License-Identifier: Apache-2.0
// This program run again as a child, so that whatever happens there is a result and not the end of the run.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace attnscope {

struct ChildResult {
  int exit_code = 0;       // when it ended by itself
  int signal = 0;          // when a signal ended it
  bool timed_out = false;  // it was killed for exceeding its time
  bool stopped = false;    // it was killed because `stop` said so
  std::string last_error;  // the last non-empty line that it wrote to stderr
};

/// Runs /proc/self/exe with `arguments` and waits. Its stdout is dropped. Kills it (SIGKILL) after `timeout_seconds` or
/// when `stop`, asked every few milliseconds, returns true. Throws Error when no process can be made.
ChildResult run_child(const std::vector<std::string>& arguments, double timeout_seconds,
                      const std::function<bool()>& stop);

/// For the child: to be killed when its parent dies, and before its parent when memory runs out.
void follow_parent();

}  // namespace attnscope
