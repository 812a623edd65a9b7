// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace attnscope {

/// True while the guard bands of every Buffer of this process, workspaces inside executions included, hold what its
/// constructor wrote.
bool all_guards_intact();

}  // namespace attnscope
