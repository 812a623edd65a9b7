// SPDX-License-Identifier: Apache-2.0
// `attnscope run`: from a config to a record.
#pragma once

namespace CLI {
class App;
}

namespace attnscope {

/// Adds the sub-command. When it runs it leaves 0 in `exit_code`, 3 when a demanded tier was not reached, or 130 when
/// it was interrupted; the record then holds the points that were finished.
void add_run(CLI::App& app, int& exit_code);

}  // namespace attnscope
