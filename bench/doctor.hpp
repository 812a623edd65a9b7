// SPDX-License-Identifier: Apache-2.0
// `attnscope doctor`: what this machine can measure, why not more, and what it can do at best.
#pragma once

namespace CLI {
class App;
}

namespace attnscope {

/// Adds the sub-command. When it runs it leaves 0 in `exit_code`, or 3 when a demanded tier is out of reach.
void add_doctor(CLI::App& app, int& exit_code);

}  // namespace attnscope
