// SPDX-License-Identifier: Apache-2.0
// Oracle top-k: the `budget` keys of largest exact logit per query head; the best any fixed budget can choose.
#include <algorithm>

#include "harness/method/definition.hpp"
#include "harness/method/registry.hpp"
#include "kernels/compose/engine.hpp"
#include "kernels/compose/exact.hpp"
#include "kernels/compose/oracle.hpp"

namespace attnscope {
namespace {

const MethodInfo kInfo{
    .name = "oracle_topk",
    .title = "Oracle top-k",
    .phases = {Phase::prefill, Phase::decode},
    .backends = {Backend::reference, Backend::cpu, Backend::cuda},
    .knob = "budget",
    .parameters = {{.name = "budget",
                    .default_value = 1024,
                    .min = 1,
                    .max = 2147483647,  // keys are numbered by int32
                    .help = "Keys attended per query head."}},
    .paper = {.title = "Memory-efficient Transformers via Top-k Attention",
              .authors = "Gupta, Dar, Goodman, Ciprut, Berant",
              .year = 2021,
              .venue = "SustaiNLP 2021",
              .url = "https://arxiv.org/abs/2106.06899"},
};

class OracleTopK final : public Method {
 public:
  const MethodInfo& info() const override { return kInfo; }

  std::optional<std::string> unsupported(const Shape& shape, Phase, Backend backend, const Params&) const override {
    return compose::engine_unsupported(backend, shape);
  }

  std::unique_ptr<const Definition> define(const AttentionInputs& host, Phase, const Params& params,
                                           std::vector<SideTensor>) const override {
    return define_rows([host, k = params.integer("budget")](const Row& row) -> RowSelection {
      compose::Choice choice = compose::largest(compose::exact_logits(host, row), k);
      return {.keys = std::move(choice.certain),
              .borderline = std::move(choice.open),
              .borderline_min = choice.take,
              .borderline_max = choice.take};
    });
  }

  std::unique_ptr<Execution> prepare(Backend backend, const Task& task, const Params& params) const override {
    const std::int64_t k = std::min(params.integer("budget"), task.inputs.shape.kv_len);
    return compose::make_oracle(
        backend, task,
        {.stage = "top_k",
         .capacity = k,
         .flops_per_score = 1,  // one comparison with the threshold
         .choose = [k](const compose::Engine& engine, const select::Scores& scores, const select::Lists& lists,
                       void* workspace) { engine.top_k(scores, k, lists, workspace); }});
  }
};

const Register<OracleTopK> registered;

}  // namespace
}  // namespace attnscope
