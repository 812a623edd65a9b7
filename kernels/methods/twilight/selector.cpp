// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "kernels/compose/cost.hpp"
#include "kernels/compose/engine.hpp"
#include "kernels/compose/score_buffer.hpp"
#include "kernels/methods/twilight/pruning.hpp"
#include "kernels/select/group_union.hpp"
#include "kernels/select/names.hpp"
#include "kernels/selectors/list_buffer.hpp"
#include "kernels/selectors/list_tensors.hpp"
#include "kernels/selectors/quantized_copy.hpp"

namespace attnscope::twilight {
namespace {

using selectors::HostLists;
using selectors::ListBuffer;

class TwilightSelector final : public selectors::Selector {
 public:
  TwilightSelector(Backend backend, const Task& task, const Params& params, const Settings& settings)
      : inputs_(task.inputs),
        settings_(settings),
        on_{backend, task.stream},
        engine_(compose::make_engine(backend, task.stream)),
        base_(settings.base ? settings.base->prepare(backend, task, params) : nullptr),
        copy_(on_, inputs_, settings.bits),
        scores_(on_.space(), shape().rows(), most_candidates()),
        pruned_(on_.space(), shape(), shape().q_heads, 1, scores_.stride()),
        workspace_(on_.space(), engine_->select_workspace(shape().rows(), scores_.stride())) {
    if (!settings.group_union) return;
    union_.emplace(on_.space(), shape(), shape().kv_heads, 1, shape().kv_len);
    union_workspace_ = Buffer(on_.space(), select::group_union_workspace(on_, shape(), pruned_.view()));
  }

  void build(StageObserver& observer) override {
    if (base_) base_->build(observer);
    const StageScope stage(observer, "quantize", StageKind::build);
    copy_.build(on_, inputs_);
  }

  void select(StageObserver& observer) override {
    host_candidates_.reset();
    host_pruned_.reset();
    if (base_) base_->select(observer);
    const select::Scores scores = scores_.view();
    {
      const StageScope stage(observer, "estimate", StageKind::select);
      if (base_)
        select::quantized_scores(on_, inputs_, copy_.keys(), base_->lists(), scores, scores_.length());
      else
        select::quantized_scores(on_, inputs_, copy_.keys(), scores, scores_.length());
    }
    {
      const StageScope stage(observer, "top_p", StageKind::select);
      if (settings_.top_p == TopP::exact)
        engine_->top_p(scores, settings_.p, pruned_.lists(), workspace_.data());
      else
        select::top_p_by_bisection(on_, scores, settings_.p, settings_.start, pruned_.lists());
      if (base_) select::positions_to_keys(on_, shape(), base_->lists(), pruned_.lists(), shape().q_heads);
    }
    if (!union_) return;
    const StageScope stage(observer, "union", StageKind::select);
    select::group_union(on_, shape(), pruned_.view(), union_->lists(), union_workspace_.data());
  }

  TokenList lists() const override { return union_ ? union_->view() : pruned_.view(); }
  std::int64_t capacity() const override { return union_ ? union_->capacity() : pruned_.capacity(); }

  std::vector<StageCost> costs() const override {
    const auto all_pairs = static_cast<double>(shape().dense_pairs());
    const double pairs = base_ ? static_cast<double>(attended_pairs(candidates().view(), shape())) : all_pairs;
    const auto all_keys = static_cast<double>(shape().batch * shape().kv_heads * shape().kv_len);
    const double keys = base_ ? static_cast<double>(candidates().distinct_keys(shape())) : all_keys;
    const auto kept = static_cast<double>(pruned().entries());

    std::vector<StageCost> costs = base_ ? base_->costs() : std::vector<StageCost>{};
    costs.push_back(copy_.build_cost("quantize", shape()));
    costs.push_back(copy_.scores_cost("estimate", shape(), pairs, keys));
    // An exponential, an addition to the mass, a comparison with the threshold, as the oracle is charged.
    costs.push_back(compose::choice_cost("top_p", shape(), pairs, 3, kept));
    if (union_) {
      // The lists in and the unions out; an operation per entry read.
      const HostLists unions(*engine_, union_->view(), shape(), union_->capacity());
      costs.push_back({.name = "union",
                       .kind = StageKind::select,
                       .flops = kept,
                       .bytes = 4 * (kept + static_cast<double>(unions.entries()) +
                                     static_cast<double>(pruned_.rows() + union_->rows()))});
    }
    return costs;
  }

  std::vector<SideTensor> side_tensors() const override {
    std::vector<SideTensor> tensors = base_ ? base_->side_tensors() : std::vector<SideTensor>{};
    std::ranges::move(copy_.side_tensors("k4_", shape()), std::back_inserter(tensors));
    std::ranges::move(built_lists(), std::back_inserter(tensors));
    return tensors;
  }

  std::vector<SideTensor> built() const override {
    std::vector<SideTensor> tensors = base_ ? base_->built() : std::vector<SideTensor>{};
    std::ranges::move(built_lists(), std::back_inserter(tensors));
    return tensors;
  }

  std::vector<KeySet> key_sets(const Row& row) const override {
    std::vector<KeySet> sets;
    const auto add = [&](const char* name, const HostLists& lists) {
      attended_keys(lists.view(), shape(), row, sets.emplace_back(KeySet{.name = name, .keys = {}}).keys);
    };
    if (base_) add("candidates", candidates());
    if (union_) add("pruned", pruned());
    return sets;
  }

 private:
  const Shape& shape() const { return inputs_.shape; }
  std::int64_t most_candidates() const {
    return base_ ? std::min(base_->capacity() * base_->lists().page, shape().kv_len) : shape().kv_len;
  }

  const HostLists& candidates() const {
    if (!host_candidates_) host_candidates_.emplace(*engine_, base_->lists(), shape(), base_->capacity());
    return *host_candidates_;
  }
  const HostLists& pruned() const {
    if (!host_pruned_) host_pruned_.emplace(*engine_, pruned_.view(), shape(), pruned_.capacity());
    return *host_pruned_;
  }
  std::vector<SideTensor> built_lists() const {
    std::vector<SideTensor> tensors = selectors::list_tensors("pruned", pruned(), shape());
    if (base_)
      std::ranges::move(selectors::list_tensors("candidates", candidates(), shape()), std::back_inserter(tensors));
    return tensors;
  }

  const AttentionInputs inputs_;
  const Settings settings_;
  const Queue on_;
  const std::unique_ptr<const compose::Engine> engine_;
  const std::unique_ptr<selectors::Selector> base_;  // null: every key is a candidate
  const selectors::QuantizedCopy copy_;
  const compose::ScoreBuffer scores_;
  const ListBuffer pruned_;          // per query head
  const Buffer workspace_;           // of the top-p engine
  std::optional<ListBuffer> union_;  // per KV head
  Buffer union_workspace_;
  mutable std::optional<HostLists> host_candidates_, host_pruned_;  // of the last run, once somebody has asked
};

}  // namespace

std::unique_ptr<selectors::Selector> make_selector(Backend backend, const Task& task, const Params& params,
                                                   const Settings& settings) {
  return std::make_unique<TwilightSelector>(backend, task, params, settings);
}

}  // namespace attnscope::twilight
