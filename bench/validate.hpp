// SPDX-License-Identifier: Apache-2.0
// `attnscope validate`: are these files what attnscope reads?
#pragma once

namespace CLI {
class App;
}

namespace attnscope {

/// Adds the sub-command. When it has run it leaves 0 in `exit_code`, or 2 when a file is not valid.
void add_validate(CLI::App& app, int& exit_code);

}  // namespace attnscope
