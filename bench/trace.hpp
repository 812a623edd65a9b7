// SPDX-License-Identifier: Apache-2.0
// `attnscope trace`: a record as a timeline for Perfetto.
#pragma once

namespace CLI {
class App;
}

namespace attnscope {

/// Adds the sub-command. When it has run it leaves 0 in `exit_code`; throws InputError for bad files.
void add_trace(CLI::App& app, int& exit_code);

}  // namespace attnscope
