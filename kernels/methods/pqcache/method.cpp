// SPDX-License-Identifier: Apache-2.0
// PQCache: keys chosen by their product-quantised codes, two bytes each. Decode only.
#include <fmt/format.h>

#include "harness/method/registry.hpp"
#include "kernels/methods/pqcache/settings.hpp"
#include "kernels/selectors/room.hpp"

namespace attnscope {
namespace {

constexpr double kMostKeys = 2147483647;  // keys are numbered by int32

class PqCacheKind final : public selectors::SelectorKind {
 public:
  std::string_view name() const override { return "pqcache"; }

  const std::vector<Parameter>& parameters() const override {
    static const std::vector<Parameter> parameters{
        {.name = "share",
         .type = ParameterType::real,
         .default_value = 0.1,
         .min = 0,
         .max = 1,
         .help = "Share of the keys behind the sinks that is attended, recent ones included."},
        {.name = "recent",
         .type = ParameterType::real,
         .default_value = 0.5,
         .min = 0,
         .max = 1,
         .help = "Part of that share that goes to the most recent keys; the rest is chosen by codes."},
        {.name = "sink", .default_value = 32, .min = 0, .max = kMostKeys, .help = "First keys, always attended."},
        {.name = "subvectors", .default_value = 2, .min = 1, .max = 4, .help = "Parts that a key is cut into."},
        {.name = "bits", .default_value = 6, .min = 1, .max = 12, .help = "Bits of the code of a part."},
        {.name = "iterations", .default_value = 10, .min = 1, .max = 100, .help = "Rounds of the k-means."}};
    return parameters;
  }

  std::optional<std::string> unsupported(const Shape& shape, Backend, const Params& params) const override {
    const std::int64_t parts = params.integer("subvectors"), bits = params.integer("bits");
    if (parts * bits > select::CodePlan::kMaxCodeBits)
      return fmt::format("{} subvectors of {} bits are more than {} bits of code", parts, bits,
                         select::CodePlan::kMaxCodeBits);
    if (shape.head_dim % parts != 0 || shape.head_dim / parts % 32 != 0)
      return fmt::format("{} subvectors of head_dim {} are not whole multiples of 32 channels", parts, shape.head_dim);
    return std::nullopt;
  }

  bool keeps_all(const Shape& shape, const Params& params) const override {
    return pqcache::settings_of(shape, params).keeps_all();
  }

  std::unique_ptr<const Definition> define(const AttentionInputs& host, const Params& params,
                                           std::vector<SideTensor> built) const override {
    return pqcache::define(host, pqcache::settings_of(host.shape, params), std::move(built));
  }

  std::unique_ptr<selectors::Selector> prepare(Backend backend, const Task& task, const Params& params) const override {
    return pqcache::make_selector(backend, task, pqcache::settings_of(task.inputs.shape, params));
  }
};

const PqCacheKind kind;

struct PqCache final : selectors::SelectorRoom {
  PqCache()
      : SelectorRoom(
            {
                .name = "pqcache",
                .title = "PQCache",
                .backends = {Backend::reference, Backend::cpu, Backend::cuda},
                .reconstructed = true,
                .knob = "share",
                .paper = {.title = "PQCache: Product Quantization-based KVCache for Long Context LLM Inference",
                          .authors = "Zhang, Ji, Chen, Fu, Miao, Nie, Chen, Cui",
                          .year = 2025,
                          .venue = "SIGMOD 2025",
                          .url = "https://arxiv.org/abs/2407.12820"},
            },
            kind) {}
};

const Register<PqCache> registered;

}  // namespace
}  // namespace attnscope
