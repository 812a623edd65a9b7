// SPDX-License-Identifier: Apache-2.0
#include "kernels/compose/oracle.hpp"

#include <utility>

#include "kernels/compose/cost.hpp"
#include "kernels/compose/list_execution.hpp"

namespace attnscope::compose {
namespace {

// Rows of scores and lists begin on 256-byte boundaries.
constexpr std::int64_t kRowAlignment = 64;

std::int64_t row_stride(std::int64_t length) { return (length + kRowAlignment - 1) / kRowAlignment * kRowAlignment; }

class OracleExecution final : public ListExecution {
 public:
  OracleExecution(Backend backend, const Task& task, ChoiceRule rule)
      : ListExecution(backend, task,
                      {.page = 1, .capacity = rule.capacity ? rule.capacity : row_stride(task.inputs.shape.kv_len)}),
        rule_(std::move(rule)),
        stride_(row_stride(task.inputs.shape.kv_len)),
        scores_(engine().space(), plan().max_rows() * stride_ * sizeof(float)),
        length_(engine().space(), plan().max_rows() * sizeof(std::int32_t)),
        workspace_(engine().space(), select_workspace(stride_)) {}

 private:
  void select(const Chunk& chunk, const select::Lists& lists, StageObserver& observer) const override {
    auto* length = length_.as<std::int32_t>();
    const select::Scores scores{
        .data = scores_.as<float>(), .rows = chunk.inputs.shape.rows(), .stride = stride_, .length = length};
    {
      const StageScope stage(observer, "logits", StageKind::select);
      engine().logits(chunk.inputs, scores, length);
    }
    const StageScope stage(observer, rule_.stage, StageKind::select);
    rule_.choose(engine(), scores, lists, workspace_.data());
  }

  std::vector<StageCost> select_costs(double entries) const override {
    const Shape& shape = task().inputs.shape;
    const auto scores = static_cast<double>(shape.dense_pairs());
    return {logits_cost(shape), choice_cost(rule_.stage, shape, scores, rule_.flops_per_score, entries)};
  }

  const ChoiceRule rule_;
  const std::int64_t stride_;
  const Buffer scores_;     // float [rows of a chunk, stride]
  const Buffer length_;     // int32 [rows of a chunk]
  const Buffer workspace_;  // of the choosing engine
};

}  // namespace

std::unique_ptr<Execution> make_oracle(Backend backend, const Task& task, ChoiceRule rule) {
  return std::make_unique<OracleExecution>(backend, task, std::move(rule));
}

}  // namespace attnscope::compose
