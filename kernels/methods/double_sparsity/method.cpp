// SPDX-License-Identifier: Apache-2.0
// Double Sparsity: keys ranked by a few calibrated channels in a few bits; the best of them are attended. Decode only.
#include "harness/method/registry.hpp"
#include "kernels/selectors/double_sparsity/kind.hpp"
#include "kernels/selectors/room.hpp"

namespace attnscope {
namespace {

struct DoubleSparsity final : selectors::SelectorRoom {
  DoubleSparsity()
      : SelectorRoom(
            {
                .name = "double_sparsity",
                .title = "Double Sparsity",
                .backends = {Backend::reference, Backend::cpu, Backend::cuda},
                .reconstructed = true,
                .knob = "budget",
                .paper = {.title = "Post-Training Sparse Attention with Double Sparsity",
                          .authors = "Yang, Sheng, Gonzalez, Stoica, Zheng",
                          .year = 2024,
                          .venue = "arXiv",
                          .url = "https://arxiv.org/abs/2408.07092"},
            },
            double_sparsity::kind()) {}
};

const Register<DoubleSparsity> registered;

}  // namespace
}  // namespace attnscope
