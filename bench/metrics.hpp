// SPDX-License-Identifier: Apache-2.0
// `attnscope metrics`: the counters of each plan on any chip, checked offline; needs CUPTI, no GPU.
#pragma once

namespace CLI {
class App;
}

namespace attnscope {

/// Adds the sub-command. When it runs it leaves 0 in `exit_code`; 3 without CUPTI, 4 when a plan does not hold.
void add_metrics(CLI::App& app, int& exit_code);

}  // namespace attnscope
