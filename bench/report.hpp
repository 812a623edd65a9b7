// SPDX-License-Identifier: Apache-2.0
// `attnscope report`: records become Markdown, HTML, CSV, LaTeX and figures.
#pragma once

namespace CLI {
class App;
}

namespace attnscope {

/// Adds the sub-command. When it has run it leaves 0 in `exit_code`; throws InputError for bad files.
void add_report(CLI::App& app, int& exit_code);

}  // namespace attnscope
