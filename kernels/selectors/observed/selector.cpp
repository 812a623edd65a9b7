// SPDX-License-Identifier: Apache-2.0
#include "kernels/compose/cost.hpp"
#include "kernels/compose/engine.hpp"
#include "kernels/compose/score_buffer.hpp"
#include "kernels/selectors/list_buffer.hpp"
#include "kernels/selectors/observed/observed.hpp"

namespace attnscope::observed {
namespace {

class ObservedSelector final : public selectors::Selector {
 public:
  ObservedSelector(Backend backend, const Task& task, const Settings& settings)
      : inputs_(task.inputs),
        settings_(settings),
        on_{backend, task.stream},
        engine_(compose::make_engine(backend, task.stream)),
        lists_(on_.space(), shape(), shape().q_heads, 1, kept_keys()),
        sums_(on_.space(), shape().rows(), shape().kv_len),
        pooled_(on_.space(), shape().rows(), shape().kv_len),
        observe_workspace_(on_.space(), select::observe_workspace(on_, inputs_, settings.queries, sums_.stride())),
        select_workspace_(on_.space(), engine_->select_workspace(shape().rows(), pooled_.stride())) {}

  void build(StageObserver& observer) override {
    {
      const StageScope stage(observer, "observe", StageKind::build);
      select::observed_attention(on_, inputs_, settings_.queries, sums_.view(), sums_.length(),
                                 observe_workspace_.data());
    }
    {
      const StageScope stage(observer, "pool", StageKind::build);
      select::pool_prefix(on_, sums_.view(), settings_.pool, settings_.prefix, shape().kv_len, pooled_.view(),
                          pooled_.length());
    }
    // The recent keys stand in the row as +infinity: the choice takes them first, in their place in the list.
    const StageScope stage(observer, "top_k", StageKind::build);
    engine_->top_k(pooled_.view(), kept_keys(), lists_.lists(), select_workspace_.data());
  }

  TokenList lists() const override { return lists_.view(); }
  std::int64_t capacity() const override { return lists_.capacity(); }

  std::vector<StageCost> costs() const override {
    const auto rows = static_cast<double>(shape().rows());
    const double pairs = rows * static_cast<double>(settings_.queries * (shape().kv_len - shape().q_len));
    const auto element = static_cast<double>(size_of(shape().dtype));
    const double scores = rows * static_cast<double>(shape().kv_len);
    // d multiply-adds per observed pair, an exponential, its addition to the row's sum and to the key's; K and the
    // queries in once, the sums out.
    const StageCost observe{.name = "observe",
                            .kind = StageKind::build,
                            .flops = (2 * static_cast<double>(shape().head_dim) + 3) * pairs,
                            .bytes = (static_cast<double>(shape().kv_elements()) +
                                      rows * static_cast<double>(settings_.queries * shape().head_dim)) *
                                         element +
                                     4 * scores};
    const StageCost pool{.name = "pool",
                         .kind = StageKind::build,
                         .flops = rows * static_cast<double>(settings_.prefix * settings_.pool.width),
                         .bytes = 8 * scores};
    StageCost choice = compose::choice_cost("top_k", shape(), scores, 1, rows * static_cast<double>(kept_keys()));
    choice.kind = StageKind::build;
    return {observe, pool, choice};
  }

  std::vector<SideTensor> side_tensors() const override {
    const std::size_t row_bytes = settings_.prefix * sizeof(float);
    SideTensor pooled{.name = "pooled_attention",
                      .dtype = "F32",
                      .dims = {shape().batch, shape().q_heads, settings_.prefix},
                      .bytes = std::vector<std::byte>(shape().rows() * row_bytes)};
    for (std::int64_t row = 0; row < shape().rows(); ++row)
      engine_->read(pooled.bytes.data() + row * row_bytes, pooled_.view().data + row * pooled_.stride(), row_bytes);
    return {std::move(pooled)};
  }

 private:
  const Shape& shape() const { return inputs_.shape; }
  std::int64_t kept_keys() const { return settings_.kept + shape().kv_len - settings_.prefix; }

  const AttentionInputs inputs_;
  const Settings settings_;
  const Queue on_;
  const std::unique_ptr<const compose::Engine> engine_;
  const selectors::ListBuffer lists_;
  const compose::ScoreBuffer sums_;  // what was observed
  const compose::ScoreBuffer pooled_;
  const Buffer observe_workspace_;
  const Buffer select_workspace_;
};

}  // namespace

std::unique_ptr<selectors::Selector> make_selector(Backend backend, const Task& task, const Settings& settings) {
  return std::make_unique<ObservedSelector>(backend, task, settings);
}

}  // namespace attnscope::observed
