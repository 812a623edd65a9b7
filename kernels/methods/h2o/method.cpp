// SPDX-License-Identifier: Apache-2.0
// H2O: the keys that all queries so far attended to most, and the most recent ones. Decode only.
#include "harness/method/registry.hpp"
#include "kernels/selectors/h2o/kind.hpp"
#include "kernels/selectors/room.hpp"

namespace attnscope {
namespace {

struct H2o final : selectors::SelectorRoom {
  H2o()
      : SelectorRoom(
            {
                .name = "h2o",
                .title = "H2O",
                .backends = {Backend::reference, Backend::cpu, Backend::cuda},
                .knob = "share",
                .paper = {.title =
                              "H2O: Heavy-Hitter Oracle for Efficient Generative Inference of Large Language Models",
                          .authors = "Zhang, Sheng, Zhou, Chen, Zheng, Cai, Song, Tian, Re, Barrett, Wang, Chen",
                          .year = 2023,
                          .venue = "NeurIPS 2023",
                          .url = "https://arxiv.org/abs/2306.14048"},
            },
            h2o::kind()) {}
};

const Register<H2o> registered;

}  // namespace
}  // namespace attnscope
