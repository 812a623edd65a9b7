// SPDX-License-Identifier: Apache-2.0
// Twilight: the candidates of a base selector, scored by a 4-bit copy of K and pruned to the smallest set that holds
// the mass p. Decode only.
#include <fmt/format.h>

#include "harness/method/registry.hpp"
#include "kernels/compose/engine.hpp"
#include "kernels/methods/twilight/pruning.hpp"

namespace attnscope {
namespace {

MethodInfo make_info() {
  return {.name = "twilight",
          .title = "Twilight",
          .phases = {Phase::decode},
          .backends = {Backend::reference, Backend::cpu, Backend::cuda},
          .knob = "p",
          .parameters = twilight::parameters(),
          .paper = {.title = "Twilight: Adaptive Attention Sparsity with Hierarchical Top-p Pruning",
                    .authors = "Lin, Tang, Yang, Wang, Tang, Tian, Stoica, Han, Gao",
                    .year = 2025,
                    .venue = "NeurIPS 2025",
                    .url = "https://arxiv.org/abs/2502.02770"}};
}

class Twilight final : public Method {
 public:
  /// Made when first asked for: by then every selector has registered.
  const MethodInfo& info() const override {
    static const MethodInfo info = make_info();
    return info;
  }

  std::optional<std::string> unsupported(const Shape& shape, Phase phase, Backend backend,
                                         const Params& params) const override {
    if (phase != Phase::decode) return "Twilight selects while decoding; prefill is dense";
    if (shape.q_len != 1) return fmt::format("Twilight decodes one query per sequence, found q_len {}", shape.q_len);
    const std::int64_t bits = params.integer("estimate_bits");
    if (bits != 2 && bits != 4 && bits != 8)
      return fmt::format("twilight: estimate_bits must be 2, 4 or 8, found {}", bits);
    if (auto reason = compose::engine_unsupported(backend, shape)) return reason;
    const twilight::Settings settings = twilight::settings_of(shape, params);
    return settings.base ? settings.base->unsupported(shape, backend, params) : std::nullopt;
  }

  std::unique_ptr<const Definition> define(const AttentionInputs& host, Phase, const Params& params,
                                           std::vector<SideTensor> built) const override {
    return twilight::define(host, params, twilight::settings_of(host.shape, params), std::move(built));
  }

  std::unique_ptr<Execution> prepare(Backend backend, const Task& task, const Params& params) const override {
    return selectors::attend_selected(
        backend, task,
        twilight::make_selector(backend, task, params, twilight::settings_of(task.inputs.shape, params)));
  }
};

const Register<Twilight> registered;

}  // namespace
}  // namespace attnscope
