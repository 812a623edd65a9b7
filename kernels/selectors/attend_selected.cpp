// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <optional>
#include <utility>

#include "kernels/compose/cost.hpp"
#include "kernels/compose/engine.hpp"
#include "kernels/compose/fixed.hpp"
#include "kernels/selectors/list_buffer.hpp"
#include "kernels/selectors/selector.hpp"

namespace attnscope::selectors {
namespace {

class SelectedExecution final : public Execution {
 public:
  SelectedExecution(Backend backend, const Task& task, std::unique_ptr<Selector> selector)
      : task_(task),
        engine_(compose::make_engine(backend, task.stream)),
        selector_(std::move(selector)),
        workspace_(engine_->space(), engine_->attend_workspace(shape(), selector_->lists())) {}

  void build(StageObserver& observer) override { selector_->build(observer); }

  void run(StageObserver& observer) override {
    read_.reset();
    selector_->select(observer);
    const StageScope stage(observer, "attend", StageKind::attend);
    engine_->attend(task_.inputs, selector_->lists(), task_.outputs, workspace_.data());
  }

  std::uint64_t attended_pairs() const override { return attnscope::attended_pairs(host_lists().view(), shape()); }
  void attended_keys(const Row& row, std::vector<std::int32_t>& keys) const override {
    attnscope::attended_keys(host_lists().view(), shape(), row, keys);
  }

  std::vector<StageCost> costs() const override {
    std::vector<StageCost> costs = selector_->costs();
    const TokenList lists = selector_->lists();
    // An int32 per index and, where there are any, a float of weight; an int64 begin and an int32 count per list.
    const double entry_bytes = lists.log_weight.empty() ? 4 : 8;
    const double list_bytes = entry_bytes * static_cast<double>(host_lists().entries()) +
                              12 * static_cast<double>(shape().batch * lists.heads);
    costs.push_back(compose::attend_cost(shape(), static_cast<double>(attended_pairs()),
                                         static_cast<double>(host_lists().distinct_keys(shape())), list_bytes));
    return costs;
  }

  std::vector<SideTensor> side_tensors() const override { return selector_->side_tensors(); }
  std::vector<SideTensor> built() const override { return selector_->built(); }
  std::vector<KeySet> key_sets(const Row& row) const override { return selector_->key_sets(row); }

 private:
  const Shape& shape() const { return task_.inputs.shape; }
  const HostLists& host_lists() const {
    if (!read_) read_.emplace(*engine_, selector_->lists(), shape(), selector_->capacity());
    return *read_;
  }

  const Task task_;
  const std::unique_ptr<const compose::Engine> engine_;
  const std::unique_ptr<Selector> selector_;
  const Buffer workspace_;
  mutable std::optional<HostLists> read_;  // of the last run, once somebody has asked
};

}  // namespace

std::unique_ptr<Execution> attend_selected(Backend backend, const Task& task, std::unique_ptr<Selector> selector) {
  return std::make_unique<SelectedExecution>(backend, task, std::move(selector));
}

std::unique_ptr<Execution> attend_selected(Backend backend, const Task& task, const SelectorKind& kind,
                                           const Params& params) {
  if (kind.keeps_all(task.inputs.shape, params)) return compose::attend_dense(backend, task);
  return attend_selected(backend, task, kind.prepare(backend, task, params));
}

std::optional<std::string> decode_unsupported(const SelectorKind& kind, const Shape& shape, Phase phase,
                                              Backend backend, const Params& params) {
  if (phase != Phase::decode) return fmt::format("{} selects while decoding; prefill is dense", kind.name());
  if (shape.q_len != 1)
    return fmt::format("{} decodes one query per sequence, found q_len {}", kind.name(), shape.q_len);
  if (auto reason = compose::engine_unsupported(backend, shape)) return reason;
  return kind.unsupported(shape, backend, params);
}

}  // namespace attnscope::selectors
