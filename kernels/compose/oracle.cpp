// SPDX-License-Identifier: Apache-2.0
#include "kernels/compose/oracle.hpp"

#include <utility>

#include "kernels/compose/cost.hpp"
#include "kernels/compose/list_execution.hpp"
#include "kernels/compose/score_buffer.hpp"

namespace attnscope::compose {
namespace {

class OracleExecution final : public ListExecution {
 public:
  OracleExecution(Backend backend, const Task& task, ChoiceRule rule)
      : ListExecution(backend, task,
                      {.page = 1, .capacity = rule.capacity ? rule.capacity : row_stride(task.inputs.shape.kv_len)}),
        rule_(std::move(rule)),
        scores_(engine().space(), plan().max_rows(), task.inputs.shape.kv_len),
        workspace_(engine().space(), select_workspace(scores_.stride())) {}

 private:
  void select(const Chunk& chunk, const select::Lists& lists, StageObserver& observer) const override {
    const select::Scores scores = scores_.view(chunk.inputs.shape.rows());
    {
      const StageScope stage(observer, "logits", StageKind::select);
      engine().logits(chunk.inputs, scores, scores_.length());
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
  const ScoreBuffer scores_;  // of a chunk
  const Buffer workspace_;    // of the choosing engine
};

}  // namespace

std::unique_ptr<Execution> make_oracle(Backend backend, const Task& task, ChoiceRule rule) {
  return std::make_unique<OracleExecution>(backend, task, std::move(rule));
}

}  // namespace attnscope::compose
