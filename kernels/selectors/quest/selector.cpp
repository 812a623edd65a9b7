// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "kernels/compose/cost.hpp"
#include "kernels/compose/engine.hpp"
#include "kernels/selectors/list_buffer.hpp"
#include "kernels/selectors/quest/pages.hpp"

namespace attnscope::quest {
namespace {

constexpr std::int64_t kRowAlignment = 64;  // rows of scores begin on 256-byte boundaries

std::string safetensors_dtype(Dtype dtype) {
  return dtype == Dtype::f32 ? "F32" : dtype == Dtype::f16 ? "F16" : "BF16";
}

class QuestSelector final : public selectors::Selector {
 public:
  QuestSelector(Backend backend, const Task& task, const Pages& pages)
      : inputs_(task.inputs),
        pages_(pages),
        engine_(compose::make_engine(backend, task.stream)),
        stride_((pages.total + kRowAlignment - 1) / kRowAlignment * kRowAlignment),
        lists_(engine_->space(), shape(), shape().q_heads, pages.page, pages.budget),
        bounds_(engine_->space(), bounds_elements() * size_of(shape().dtype)),
        scores_(engine_->space(), shape().rows() * stride_ * sizeof(float)),
        length_(engine_->space(), shape().rows() * sizeof(std::int32_t)),
        workspace_(engine_->space(), engine_->select_workspace(shape().rows(), stride_)) {
    // The current page is not scored. Its place in the row holds +infinity from here on, so that the top-k that ranks
    // the others always takes it, in its place in the ascending list.
    std::vector<float> scores(static_cast<std::size_t>(shape().rows() * stride_));
    for (std::int64_t row = 0; row < shape().rows(); ++row)
      scores[row * stride_ + pages_.ranked()] = std::numeric_limits<float>::infinity();
    scores_.copy_from_host(scores.data(), scores_.bytes());
    const std::vector<std::int32_t> length(shape().rows(), static_cast<std::int32_t>(pages_.total));
    length_.copy_from_host(length.data(), length_.bytes());
  }

  void build(StageObserver& observer) override {
    const StageScope stage(observer, "page_bounds", StageKind::build);
    engine_->page_bounds(inputs_, bounds());
  }

  void select(StageObserver& observer) override {
    const select::Scores scores{
        .data = scores_.as<float>(), .rows = shape().rows(), .stride = stride_, .length = length_.as<std::int32_t>()};
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
                      .dtype = safetensors_dtype(shape().dtype),
                      .dims = {shape().batch, shape().kv_heads, pages_.ranked(), 2, shape().head_dim},
                      .bytes = std::vector<std::byte>(bounds_.bytes())};
    engine_->read(bounds.bytes.data(), bounds_.data(), bounds_.bytes());
    const std::size_t row_bytes = pages_.ranked() * sizeof(float);
    SideTensor scores{.name = "page_scores",
                      .dtype = "F32",
                      .dims = {shape().batch, shape().q_heads, pages_.ranked()},
                      .bytes = std::vector<std::byte>(shape().rows() * row_bytes)};
    for (std::int64_t row = 0; row < shape().rows(); ++row)
      engine_->read(scores.bytes.data() + row * row_bytes, scores_.as<float>() + row * stride_, row_bytes);
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
  const std::int64_t stride_;
  selectors::ListBuffer lists_;
  Buffer bounds_;           // [batch, kv_heads, ranked pages, 2, head_dim]
  Buffer scores_;           // float [rows, stride]
  Buffer length_;           // int32 [rows], all pages_.total
  const Buffer workspace_;  // of the top-k engine
};

}  // namespace

std::unique_ptr<selectors::Selector> make_selector(Backend backend, const Task& task, const Pages& pages) {
  return std::make_unique<QuestSelector>(backend, task, pages);
}

}  // namespace attnscope::quest
