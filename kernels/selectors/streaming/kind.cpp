// SPDX-License-Identifier: Apache-2.0
#include "kernels/selectors/streaming/kind.hpp"

#include "harness/method/definition.hpp"
#include "kernels/selectors/list_buffer.hpp"
#include "kernels/selectors/registry.hpp"
#include "kernels/selectors/streaming/band.hpp"

namespace attnscope::streaming {
namespace {

constexpr double kMaxKeys = 2147483647;  // keys are numbered by int32

/// Lists that are written once: no stage of a call.
class StreamingSelector final : public selectors::Selector {
 public:
  StreamingSelector(Space space, const Shape& shape, const std::vector<std::int32_t>& keys)
      : lists_(space, shape, shape.kv_heads, 1, std::ssize(keys)) {
    lists_.fill(keys);
  }
  TokenList lists() const override { return lists_.view(); }
  std::int64_t capacity() const override { return lists_.capacity(); }

 private:
  selectors::ListBuffer lists_;
};

class StreamingKind final : public selectors::SelectorKind {
 public:
  std::string_view name() const override { return "streaming"; }

  const std::vector<Parameter>& parameters() const override {
    static const std::vector<Parameter> parameters{
        {.name = "sink",
         .default_value = 4,
         .min = 0,
         .max = kMaxKeys,
         .help = "Keys at the start of the sequence that every query attends."},
        {.name = "window",
         .default_value = 1020,
         .min = 0,
         .max = kMaxKeys,
         .help = "Most recent keys that a query attends, its own included."}};
    return parameters;
  }

  std::optional<std::string> unsupported(const Shape&, Backend, const Params&) const override { return std::nullopt; }

  bool keeps_all(const Shape& shape, const Params& params) const override {
    return params.integer("sink") + params.integer("window") >= shape.kv_len;
  }

  std::unique_ptr<const Definition> define(const AttentionInputs& host, const Params& params,
                                           std::vector<SideTensor>) const override {
    return define_rows([shape = host.shape, sink = params.integer("sink"), window = params.integer("window")](
                           const Row& row) { return select_row(shape, sink, window, row); });
  }

  std::unique_ptr<selectors::Selector> prepare(Backend backend, const Task& task, const Params& params) const override {
    const Shape& shape = task.inputs.shape;
    const RowSelection band = select_row(shape, params.integer("sink"), params.integer("window"), {});
    return std::make_unique<StreamingSelector>(Queue{backend, task.stream}.space(), shape, band.keys);
  }
};

}  // namespace

const selectors::SelectorKind& kind() {
  static const StreamingKind kind;
  return kind;
}

namespace {
const selectors::RegisterSelector registered(kind());
}

}  // namespace attnscope::streaming
