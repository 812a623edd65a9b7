// SPDX-License-Identifier: Apache-2.0
#include "kernels/compose/fixed.hpp"

#include <utility>

#include "kernels/compose/cost.hpp"
#include "kernels/compose/engine.hpp"

namespace attnscope::compose {
namespace {

class EngineExecution final : public FixedExecution {
 public:
  EngineExecution(std::unique_ptr<const Engine> engine, const Task& task, const Selection& selection,
                  std::int64_t keys_read)
      : FixedExecution(task, selection, keys_read),
        engine_(std::move(engine)),
        workspace_(engine_->space(), engine_->attend_workspace(task.inputs.shape, selection)) {}

 private:
  void attend() override { engine_->attend(task_.inputs, selection_, task_.outputs, workspace_.data()); }

  const std::unique_ptr<const Engine> engine_;
  const Buffer workspace_;
};

}  // namespace

FixedExecution::FixedExecution(const Task& task, const Selection& selection, std::int64_t keys_read)
    : task_(task), selection_(selection), keys_read_(keys_read) {}

void FixedExecution::run(StageObserver& observer) {
  const StageScope stage(observer, "attend", StageKind::attend);
  attend();
}

std::uint64_t FixedExecution::attended_pairs() const {
  return attnscope::attended_pairs(selection_, task_.inputs.shape);
}

void FixedExecution::attended_keys(const Row& row, std::vector<std::int32_t>& keys) const {
  attnscope::attended_keys(selection_, task_.inputs.shape, row, keys);
}

std::vector<StageCost> FixedExecution::costs() const {
  const Shape& shape = task_.inputs.shape;
  const auto kv_rows = static_cast<double>(shape.batch * shape.kv_heads * keys_read_);
  return {attend_cost(shape, static_cast<double>(attended_pairs()), kv_rows, 0)};
}

std::unique_ptr<Execution> attend_fixed(Backend backend, const Task& task, const Selection& selection,
                                        std::int64_t keys_read) {
  return std::make_unique<EngineExecution>(make_engine(backend, task.stream), task, selection, keys_read);
}

std::unique_ptr<Execution> attend_dense(Backend backend, const Task& task) {
  return attend_fixed(backend, task, Dense{}, task.inputs.shape.kv_len);
}

}  // namespace attnscope::compose
