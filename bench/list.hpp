// SPDX-License-Identifier: Apache-2.0
// `attnscope list`: methods, workloads, configs and devices of this build and machine.
#pragma once

namespace CLI {
class App;
}

namespace attnscope {

void add_list(CLI::App& app, int& exit_code);

}  // namespace attnscope
