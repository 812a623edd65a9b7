// SPDX-License-Identifier: Apache-2.0
// Quest: pages ranked by an upper bound of their keys' scores; the best of them are attended. Decode only.
#include "harness/method/registry.hpp"
#include "kernels/selectors/quest/kind.hpp"
#include "kernels/selectors/room.hpp"

namespace attnscope {
namespace {

struct Quest final : selectors::SelectorRoom {
  Quest()
      : SelectorRoom(
            {
                .name = "quest",
                .title = "Quest",
                .backends = {Backend::reference, Backend::cpu, Backend::cuda},
                .knob = "budget",
                .paper = {.title = "Quest: Query-Aware Sparsity for Efficient Long-Context LLM Inference",
                          .authors = "Tang, Zhao, Zhu, Xiao, Kasikci, Han",
                          .year = 2024,
                          .venue = "ICML 2024",
                          .url = "https://arxiv.org/abs/2406.10774"},
            },
            quest::kind()) {}
};

const Register<Quest> registered;

}  // namespace
}  // namespace attnscope
