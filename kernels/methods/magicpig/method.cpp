// SPDX-License-Identifier: Apache-2.0
// MagicPIG: keys sampled by locality-sensitive hashing, their weights corrected by the sampling probability. Decode
// only.
#include <numeric>

#include "harness/method/definition.hpp"
#include "harness/method/registry.hpp"
#include "kernels/methods/magicpig/settings.hpp"
#include "kernels/selectors/room.hpp"

namespace attnscope {
namespace {

RowSelection all_keys(std::int64_t kv_len) {
  RowSelection selection;
  selection.keys.resize(kv_len);
  std::iota(selection.keys.begin(), selection.keys.end(), 0);
  return selection;
}

class MagicPigKind final : public selectors::SelectorKind {
 public:
  std::string_view name() const override { return "magicpig"; }
  const std::vector<Parameter>& parameters() const override { return magicpig::parameters(); }
  std::optional<std::string> unsupported(const Shape&, Backend, const Params&) const override { return std::nullopt; }
  bool keeps_all(const Shape& shape, const Params& params) const override { return magicpig::keeps_all(shape, params); }
  std::unique_ptr<const Definition> define(const AttentionInputs& host, const Params& params,
                                           std::vector<SideTensor> built) const override {
    if (keeps_all(host.shape, params)) return define_rows([n = host.shape.kv_len](const Row&) { return all_keys(n); });
    return magicpig::define(host, magicpig::settings_of(host.shape, params), std::move(built));
  }
  std::unique_ptr<selectors::Selector> prepare(Backend backend, const Task& task, const Params& params) const override {
    return magicpig::make_selector(backend, task, magicpig::settings_of(task.inputs.shape, params));
  }
};

const MagicPigKind kind;

struct MagicPig final : selectors::SelectorRoom {
  MagicPig()
      : SelectorRoom(
            {
                .name = "magicpig",
                .title = "MagicPIG",
                .backends = {Backend::reference, Backend::cpu, Backend::cuda},
                .knob = "tables",
                .paper = {.title = "MagicPIG: LSH Sampling for Efficient LLM Generation",
                          .authors = "Chen, Sadhukhan, Ye, Zhou, Zhang, Nolte, Tian, Douze, Bottou, Jia, Chen",
                          .year = 2025,
                          .venue = "ICLR 2025",
                          .url = "https://arxiv.org/abs/2410.16179"},
            },
            kind) {}
};

const Register<MagicPig> registered;

}  // namespace
}  // namespace attnscope
