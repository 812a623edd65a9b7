// SPDX-License-Identifier: Apache-2.0
// StreamingLLM's pattern as a mask: attention sinks and a sliding window. README.md says where the paper differs.
#include "harness/method/definition.hpp"
#include "harness/method/registry.hpp"
#include "kernels/compose/engine.hpp"
#include "kernels/compose/fixed.hpp"
#include "kernels/methods/streaming/cost.hpp"
#include "kernels/selectors/streaming/band.hpp"
#include "kernels/selectors/streaming/kind.hpp"

namespace attnscope {
namespace {

const MethodInfo kInfo{
    .name = "streaming",
    .title = "StreamingLLM (mask)",
    .phases = {Phase::prefill, Phase::decode},
    .backends = {Backend::reference, Backend::cpu, Backend::cuda},
    .knob = "window",
    .parameters = streaming::kind().parameters(),
    .paper = {.title = "Efficient Streaming Language Models with Attention Sinks",
              .authors = "Xiao, Tian, Chen, Han, Lewis",
              .year = 2024,
              .venue = "ICLR 2024",
              .url = "https://arxiv.org/abs/2309.17453"},
};

class Streaming final : public Method {
 public:
  const MethodInfo& info() const override { return kInfo; }

  std::optional<std::string> unsupported(const Shape& shape, Phase, Backend backend, const Params&) const override {
    return compose::engine_unsupported(backend, shape);
  }

  std::unique_ptr<const Definition> define(const AttentionInputs& host, Phase, const Params& params,
                                           std::vector<SideTensor>) const override {
    return define_rows([shape = host.shape, sink = params.integer("sink"), window = params.integer("window")](
                           const Row& row) { return streaming::select_row(shape, sink, window, row); });
  }

  std::unique_ptr<Execution> prepare(Backend backend, const Task& task, const Params& params) const override {
    const Band band{.sink = params.integer("sink"), .window = params.integer("window")};
    return compose::attend_fixed(backend, task, band, streaming::keys_read(task.inputs.shape, band.sink, band.window));
  }
};

const Register<Streaming> registered;

}  // namespace
}  // namespace attnscope
