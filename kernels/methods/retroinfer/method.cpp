// SPDX-License-Identifier: Apache-2.0
// RetroInfer: keys in clusters; the best are attended, the next estimated by their centroids, the rest left out.
#include <fmt/format.h>

#include "harness/method/registry.hpp"
#include "kernels/compose/engine.hpp"
#include "kernels/compose/fixed.hpp"
#include "kernels/methods/retroinfer/zones.hpp"

namespace attnscope {
namespace {

constexpr double kMostKeys = 2147483647;  // keys are numbered by int32

const MethodInfo kInfo{
    .name = "retroinfer",
    .title = "RetroInfer",
    .phases = {Phase::decode},
    .backends = {Backend::reference, Backend::cpu, Backend::cuda},
    .knob = "retrieve",
    .parameters =
        {{.name = "tokens_per_cluster",
          .default_value = 16,
          .min = 1,
          .max = 1024,
          .help = "Keys per cluster, on average."},
         {.name = "segment",
          .default_value = 8192,
          .min = 64,
          .max = kMostKeys,
          .help = "Keys of a segment: clusters form within one."},
         {.name = "iterations", .default_value = 10, .min = 1, .max = 100, .help = "Rounds of the k-means."},
         {.name = "last_round",
          .type = ParameterType::choice,
          .default_value = "segment",
          .choices = {"segment", "global"},
          .help = "Where keys look for their cluster in the last round; the released code looks everywhere."},
         {.name = "retrieve",
          .type = ParameterType::real,
          .default_value = 0.018,
          .min = 0,
          .max = 1,
          .help = "Share of the clusters whose keys are attended, at least one cluster."},
         {.name = "estimate",
          .type = ParameterType::real,
          .default_value = 0.232,
          .min = 0,
          .max = 1,
          .help = "Share of the clusters that their centroids stand for."},
         {.name = "sink", .default_value = 4, .min = 0, .max = kMostKeys, .help = "First keys, always attended."},
         {.name = "window", .default_value = 64, .min = 0, .max = kMostKeys, .help = "Last keys, always attended."}},
    .paper = {.title = "RetroInfer: A Vector-Storage Approach for Scalable Long-Context LLM Inference",
              .authors = "Chen, Zhang, Lu, Zhang, Zhang, et al.",
              .year = 2025,
              .venue = "arXiv 2505.02922",
              .url = "https://arxiv.org/abs/2505.02922"},
};

class RetroInfer final : public Method {
 public:
  const MethodInfo& info() const override { return kInfo; }

  std::optional<std::string> unsupported(const Shape& shape, Phase phase, Backend backend,
                                         const Params&) const override {
    if (phase != Phase::decode) return "RetroInfer selects while decoding; prefill is dense";
    if (shape.q_len != 1) return fmt::format("RetroInfer decodes one query per sequence, found q_len {}", shape.q_len);
    return compose::engine_unsupported(backend, shape);
  }

  std::unique_ptr<const Definition> define(const AttentionInputs& host, Phase, const Params& params,
                                           std::vector<SideTensor> built) const override {
    return retroinfer::define(host, retroinfer::zones_of(host.shape, params), std::move(built));
  }

  std::unique_ptr<Execution> prepare(Backend backend, const Task& task, const Params& params) const override {
    const retroinfer::Zones zones = retroinfer::zones_of(task.inputs.shape, params);
    if (zones.keeps_all()) return compose::attend_dense(backend, task);
    return retroinfer::make_execution(backend, task, zones);
  }
};

const Register<RetroInfer> registered;

}  // namespace
}  // namespace attnscope
