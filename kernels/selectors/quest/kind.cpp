// SPDX-License-Identifier: Apache-2.0
#include "kernels/selectors/quest/kind.hpp"

#include "harness/method/definition.hpp"
#include "kernels/selectors/quest/pages.hpp"
#include "kernels/selectors/registry.hpp"

namespace attnscope::quest {
namespace {

class QuestKind final : public selectors::SelectorKind {
 public:
  std::string_view name() const override { return "quest"; }

  const std::vector<Parameter>& parameters() const override {
    static const std::vector<Parameter> parameters{
        {.name = "page", .default_value = 16, .min = 1, .max = 1024, .help = "Keys per page."},
        {.name = "budget",
         .default_value = 1024,
         .min = 1,
         .max = 2147483647,  // keys are numbered by int32
         .help = "Keys attended per query head, in whole pages (at least one, the current page)."}};
    return parameters;
  }

  std::optional<std::string> unsupported(const Shape&, Backend, const Params&) const override { return std::nullopt; }

  bool keeps_all(const Shape& shape, const Params& params) const override {
    return pages_of(shape, params).keeps_all();
  }

  std::unique_ptr<const Definition> define(const AttentionInputs& host, const Params& params,
                                           std::vector<SideTensor>) const override {
    return define_rows(
        [host, pages = pages_of(host.shape, params)](const Row& row) { return select_row(host, pages, row); });
  }

  std::unique_ptr<selectors::Selector> prepare(Backend backend, const Task& task, const Params& params) const override {
    return make_selector(backend, task, pages_of(task.inputs.shape, params));
  }
};

}  // namespace

const selectors::SelectorKind& kind() {
  static const QuestKind kind;
  return kind;
}

namespace {
const selectors::RegisterSelector registered(kind());
}

}  // namespace attnscope::quest
