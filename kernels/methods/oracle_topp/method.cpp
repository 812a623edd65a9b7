// SPDX-License-Identifier: Apache-2.0
// Oracle top-p: the smallest set of keys that holds the mass p of the exact softmax, per query head.
#include "harness/method/definition.hpp"
#include "harness/method/registry.hpp"
#include "kernels/compose/engine.hpp"
#include "kernels/compose/fixed.hpp"
#include "kernels/compose/oracle.hpp"
#include "kernels/compose/top_p.hpp"

namespace attnscope {
namespace {

const MethodInfo kInfo{
    .name = "oracle_topp",
    .title = "Oracle top-p",
    .phases = {Phase::prefill, Phase::decode},
    .backends = {Backend::reference, Backend::cpu, Backend::cuda},
    .knob = "p",
    .parameters = {{.name = "p",
                    .type = ParameterType::real,
                    .default_value = 0.95,
                    .min = 0.001,
                    .max = 1,
                    .help = "Softmax mass that the attended keys of a query hold at least; 1 attends every key."}},
    .paper = {.title = "Twilight: Adaptive Attention Sparsity with Hierarchical Top-p Pruning",
              .authors = "Lin, Tang, Yang, Wang, Tang, Tian, Stoica, Han, Gao",
              .year = 2025,
              .venue = "NeurIPS 2025",
              .url = "https://arxiv.org/abs/2502.02770"},
};

class OracleTopP final : public Method {
 public:
  const MethodInfo& info() const override { return kInfo; }

  std::optional<std::string> unsupported(const Shape& shape, Phase, Backend backend, const Params&) const override {
    return compose::engine_unsupported(backend, shape);
  }

  std::unique_ptr<const Definition> define(const AttentionInputs& host, Phase, const Params& params,
                                           std::vector<SideTensor>) const override {
    return define_rows([host, p = params.real("p")](const Row& row) {
      return compose::smallest_with_mass(compose::exact_logits(host, row), p);
    });
  }

  std::unique_ptr<Execution> prepare(Backend backend, const Task& task, const Params& params) const override {
    const double p = params.real("p");
    // In float, keys of underflowing weight could be lost; the definition keeps them all.
    if (p >= 1) return compose::attend_dense(backend, task);
    return compose::make_oracle(
        backend, task,
        {.stage = "top_p",
         .flops_per_score = 3,  // an exponential, an addition to the mass, a comparison with the threshold
         .choose = [p](const compose::Engine& engine, const select::Scores& scores, const select::Lists& lists,
                       void* workspace) { engine.top_p(scores, p, lists, workspace); }});
  }
};

const Register<OracleTopP> registered;

}  // namespace
}  // namespace attnscope
