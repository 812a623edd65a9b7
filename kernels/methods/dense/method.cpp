// SPDX-License-Identifier: Apache-2.0
// Dense: exact attention, the baseline of every comparison.
#include "harness/method/definition.hpp"
#include "harness/method/registry.hpp"
#include "kernels/attend/cudnn/cudnn.hpp"
#include "kernels/compose/engine.hpp"
#include "kernels/compose/fixed.hpp"

namespace attnscope {
namespace {

const MethodInfo kInfo{
    .name = "dense",
    .title = "Dense",
    .phases = {Phase::prefill, Phase::decode},
    .backends = {Backend::reference, Backend::cpu, Backend::cuda, Backend::cudnn},
    .knob = "",
    .parameters = {},
    .paper = {.title = "Attention Is All You Need",
              .authors = "Vaswani, Shazeer, Parmar, Uszkoreit, Jones, Gomez, Kaiser, Polosukhin",
              .year = 2017,
              .venue = "NeurIPS 2017",
              .url = "https://arxiv.org/abs/1706.03762"},
};

class CudnnExecution final : public compose::FixedExecution {
 public:
  explicit CudnnExecution(const Task& task)
      : FixedExecution(task, Dense{}, task.inputs.shape.kv_len), call_(task.inputs, task.outputs, task.stream) {}

 private:
  void attend() override { call_.run(); }

  attend::CudnnAttention call_;
};

class DenseMethod final : public Method {
 public:
  const MethodInfo& info() const override { return kInfo; }

  std::optional<std::string> unsupported(const Shape& shape, Phase, Backend backend, const Params&) const override {
    if (backend == Backend::cudnn) return attend::cudnn_unsupported(shape);
    return compose::engine_unsupported(backend, shape);
  }

  std::unique_ptr<const Definition> define(const AttentionInputs& host, Phase, const Params&,
                                           std::vector<SideTensor>) const override {
    return define_dense(host.shape);
  }

  std::unique_ptr<Execution> prepare(Backend backend, const Task& task, const Params&) const override {
    if (backend == Backend::cudnn) return std::make_unique<CudnnExecution>(task);
    return compose::attend_dense(backend, task);
  }
};

const Register<DenseMethod> registered;

}  // namespace
}  // namespace attnscope
