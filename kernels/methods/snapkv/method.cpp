// SPDX-License-Identifier: Apache-2.0
// SnapKV: at the end of the prompt its last queries vote for the keys that are kept. Decode only.
#include "harness/method/registry.hpp"
#include "kernels/selectors/room.hpp"
#include "kernels/selectors/snapkv/kind.hpp"

namespace attnscope {
namespace {

struct SnapKv final : selectors::SelectorRoom {
  SnapKv()
      : SelectorRoom(
            {
                .name = "snapkv",
                .title = "SnapKV",
                .backends = {Backend::reference, Backend::cpu, Backend::cuda},
                .knob = "budget",
                .paper = {.title = "SnapKV: LLM Knows What You are Looking for Before Generation",
                          .authors = "Li, Huang, Yang, Venkitesh, Locatelli, Ye, Cai, Lewis, Chen",
                          .year = 2024,
                          .venue = "NeurIPS 2024",
                          .url = "https://arxiv.org/abs/2404.14469"},
            },
            snapkv::kind()) {}
};

const Register<SnapKv> registered;

}  // namespace
}  // namespace attnscope
