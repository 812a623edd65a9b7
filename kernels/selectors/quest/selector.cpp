// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "harness/workload/safetensors.hpp"
#include "kernels/compose/cost.hpp"
#include "kernels/compose/engine.hpp"
#include "kernels/compose/score_buffer.hpp"
#include "kernels/selectors/list_buffer.hpp"
#include "kernels/selectors/quest/pages.hpp"

namespace attnscope::quest {
namespace {

class QuestSelector final : public selectors::Selector {
 public:
  QuestSelector(Backend backend, const Task& task, const Pages& pages)
      : inputs_(task.inputs),
        pages_(pages),
        engine_(compose::make_engine(backend, task.stream)),
        lists_(engine_->space(), shape(), shape().q_heads, pages.page, pages.budget),
        bounds_(engine_->space(), bounds_elements() * size_of(shape().dtype)),
        scores_(engine_->space(), shape().rows(), pages.total),
        workspace_(engine_->space(), engine_->select_workspace(shape().rows(), scores_.stride())) {
    // The current page is not scored. Its place in the row holds +infinity from here on, so that the top-k that ranks
    // the others always takes it, in its place in the ascending list.
    std::vector<float> scores(static_cast<std::size_t>(shape().rows() * scores_.stride()));
    for (std::int64_t row = 0; row < shape().rows(); ++row)
      scores[row * scores_.stride() + pages_.ranked()] = std::numeric_limits<float>::infinity();
    const std::vector<std::int32_t> length(shape().rows(), static_cast<std::int32_t>(pages_.total));
    scores_.copy_from_host(scores.data(), length.data());
  }

  void build(StageObserver& observer) override {
    const StageScope stage(observer, "page_bounds", StageKind::build);
    engine_->page_bounds(inputs_, bounds());
  }

  void select(StageObserver& observer) override {
    const select::Scores scores = scores_.view();
    {
      const StageScope stage(observer, "page_scores", StageKind::select);
      engine_->page_scores(inputs_, bounds(), scores);
    }
    const StageScope stage(observer, "top_k", StageKind::select);
    engine_->top_k(scores, pages_.budget, lists_.lists(), workspace_.data());
  }

  TokenList lists() const override { return lists_.view(); }
  std::int64_t capacity() const override { return lists_.capacity(); }

  std::vector<StageCost> costs() const override {
    const auto scores = static_cast<double>(shape().rows() * pages_.total);
    const auto entries = static_cast<double>(shape().rows() * pages_.budget);
    return {page_bounds_cost(shape(), pages_), page_scores_cost(shape(), pages_),
            compose::choice_cost("top_k", shape(), scores, 1, entries)};  // a comparison with the threshold
  }

  std::vector<SideTensor> side_tensors() const override {
    SideTensor bounds{.name = "page_bounds",
                      .dtype = std::string(safetensors_dtype(shape().dtype)),
                      .dims = {shape().batch, shape().kv_heads, pages_.ranked(), 2, shape().head_dim},
                      .bytes = std::vector<std::byte>(bounds_.bytes())};
    engine_->read(bounds.bytes.data(), bounds_.data(), bounds_.bytes());
    const std::size_t row_bytes = pages_.ranked() * sizeof(float);
    SideTensor scores{.name = "page_scores",
                      .dtype = "F32",
                      .dims = {shape().batch, shape().q_heads, pages_.ranked()},
                      .bytes = std::vector<std::byte>(shape().rows() * row_bytes)};
    for (std::int64_t row = 0; row < shape().rows(); ++row)
      engine_->read(scores.bytes.data() + row * row_bytes, scores_.view().data + row * scores_.stride(), row_bytes);
    return {std::move(bounds), std::move(scores)};
  }

 private:
  const Shape& shape() const { return inputs_.shape; }
  std::int64_t bounds_elements() const {
    return shape().batch * shape().kv_heads * pages_.ranked() * 2 * shape().head_dim;
  }
  select::PageBounds bounds() const { return {.data = bounds_.data(), .page = pages_.page, .pages = pages_.ranked()}; }

  const AttentionInputs inputs_;
  const Pages pages_;
  const std::unique_ptr<const compose::Engine> engine_;
  selectors::ListBuffer lists_;
  Buffer bounds_;  // [batch, kv_heads, ranked pages, 2, head_dim]
  compose::ScoreBuffer scores_;
  const Buffer workspace_;  // of the top-k engine
};

}  // namespace

std::unique_ptr<selectors::Selector> make_selector(Backend backend, const Task& task, const Pages& pages) {
  return std::make_unique<QuestSelector>(backend, task, pages);
}

}  // namespace attnscope::quest
