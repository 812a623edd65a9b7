// SPDX-License-Identifier: Apache-2.0
// `attnscope compare`: a verdict per point of two records, and an exit code for CI.
#pragma once

namespace CLI {
class App;
}

namespace attnscope {

/// Adds the sub-command. When it has run it leaves in `exit_code`: 0 no regression, 1 something is slower, 4 something
/// is wrong, 5 inconclusive with --strict, 6 the records are not comparable. Throws InputError for bad files.
void add_compare(CLI::App& app, int& exit_code);

}  // namespace attnscope
