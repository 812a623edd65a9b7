// SPDX-License-Identifier: Apache-2.0
#include "bench/interrupt.hpp"

#include <csignal>
#include <initializer_list>

namespace attnscope {
namespace {

volatile std::sig_atomic_t signalled = 0;

}  // namespace

void catch_interrupts() {
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { signalled = 1; });
}

bool interrupted() { return signalled != 0; }

}  // namespace attnscope
