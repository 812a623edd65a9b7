// SPDX-License-Identifier: Apache-2.0
// Quest: pages ranked by an upper bound of their keys' scores; the best of them are attended. Decode only.
#include <fmt/format.h>

#include "harness/method/registry.hpp"
#include "kernels/compose/engine.hpp"
#include "kernels/compose/fixed.hpp"
#include "kernels/methods/quest/pages.hpp"

namespace attnscope {
namespace {

const MethodInfo kInfo{
    .name = "quest",
    .title = "Quest",
    .phases = {Phase::decode},
    .backends = {Backend::reference, Backend::cpu, Backend::cuda},
    .knob = "budget",
    .parameters = {{.name = "page", .default_value = 16, .min = 1, .max = 1024, .help = "Keys per page."},
                   {.name = "budget",
                    .default_value = 1024,
                    .min = 1,
                    .max = 2147483647,  // keys are numbered by int32
                    .help = "Keys attended per query head, in whole pages (at least one, the current page)."}},
    .paper = {.title = "Quest: Query-Aware Sparsity for Efficient Long-Context LLM Inference",
              .authors = "Tang, Zhao, Zhu, Xiao, Kasikci, Han",
              .year = 2024,
              .venue = "ICML 2024",
              .url = "https://arxiv.org/abs/2406.10774"},
};

class Quest final : public Method {
 public:
  const MethodInfo& info() const override { return kInfo; }

  std::optional<std::string> unsupported(const Shape& shape, Phase phase, Backend backend,
                                         const Params&) const override {
    if (phase != Phase::decode) return "Quest selects while decoding; prefill is dense in the paper";
    if (shape.q_len != 1) return fmt::format("Quest decodes one query per sequence, found q_len {}", shape.q_len);
    return compose::engine_unsupported(backend, shape);
  }

  RowSelection select_row(const AttentionInputs& host, Phase, const Params& params, const Row& row) const override {
    return quest::select_row(host, quest::pages_of(host.shape, params), row);
  }

  std::unique_ptr<Execution> prepare(Backend backend, const Task& task, const Params& params) const override {
    const quest::Pages pages = quest::pages_of(task.inputs.shape, params);
    if (pages.keeps_all()) return compose::attend_dense(backend, task);
    return quest::make_execution(backend, task, pages);
  }
};

const Register<Quest> registered;

}  // namespace
}  // namespace attnscope
