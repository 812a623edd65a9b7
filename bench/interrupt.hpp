// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace attnscope {

/// From now on Ctrl-C (SIGINT) and SIGTERM no longer end the program but make interrupted() true.
void catch_interrupts();
bool interrupted();

}  // namespace attnscope
