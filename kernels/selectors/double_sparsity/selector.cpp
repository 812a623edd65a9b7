// SPDX-License-Identifier: Apache-2.0
#include "harness/base/half.hpp"
#include "kernels/compose/cost.hpp"
#include "kernels/compose/engine.hpp"
#include "kernels/compose/score_buffer.hpp"
#include "kernels/selectors/double_sparsity/settings.hpp"
#include "kernels/selectors/list_buffer.hpp"
#include "kernels/selectors/quantized_copy.hpp"

namespace attnscope::double_sparsity {
namespace {

/// The calibration block, read from wherever the inputs lie.
CalibrationRows rows_of(const compose::Engine& engine, const AttentionInputs& in) {
  const auto row = [&engine, shape = in.shape](const void* tensor, std::int64_t r) {
    const std::int64_t row_bytes = shape.head_dim * size_of(shape.dtype);
    std::vector<std::byte> bytes(row_bytes);
    engine.read(bytes.data(), static_cast<const std::byte*>(tensor) + r * row_bytes, bytes.size());
    std::vector<float> values(shape.head_dim);
    for (std::int64_t c = 0; c < shape.head_dim; ++c) values[c] = load_element(bytes.data(), shape.dtype, c);
    return values;
  };
  std::vector<std::int32_t> table;
  if (in.page_table != nullptr) {
    table.resize(in.shape.cache_pages());
    engine.read(table.data(), in.page_table, table.size() * sizeof(std::int32_t));
  }
  return {.past_query = [=](std::int64_t head, std::int64_t i) { return row(in.past_q, head * in.shape.history + i); },
          .key =
              [=](std::int64_t kv_head, std::int64_t j) {
                AttentionInputs on_host = in;
                if (in.page_table != nullptr) on_host.page_table = table.data();
                return row(in.k, on_host.kv_rows(0, kv_head).row(j));
              }};
}

class DoubleSparsitySelector final : public selectors::Selector {
 public:
  DoubleSparsitySelector(Backend backend, const Task& task, const Settings& settings)
      : inputs_(task.inputs),
        settings_(settings),
        on_{backend, task.stream},
        engine_(compose::make_engine(backend, task.stream)),
        labels_(on_, inputs_, settings.bits,
                calibrated_channels(shape(), rows_of(*engine_, inputs_), settings.target, settings.label_heads,
                                    settings.channels)),
        lists_(on_.space(), shape(), shape().q_heads, 1, settings.budget),
        scores_(on_.space(), shape().rows(), shape().kv_len),
        workspace_(on_.space(), engine_->select_workspace(shape().rows(), scores_.stride())) {}

  void build(StageObserver& observer) override {
    const StageScope stage(observer, "labels", StageKind::build);
    labels_.build(on_, inputs_);
  }

  void select(StageObserver& observer) override {
    const select::Scores scores = scores_.view();
    {
      const StageScope stage(observer, "label_scores", StageKind::select);
      select::quantized_scores(on_, inputs_, labels_.keys(), scores, scores_.length());
    }
    const StageScope stage(observer, "top_k", StageKind::select);
    engine_->top_k(scores, settings_.budget, lists_.lists(), workspace_.data());
  }

  TokenList lists() const override { return lists_.view(); }
  std::int64_t capacity() const override { return lists_.capacity(); }

  std::vector<StageCost> costs() const override {
    const auto pairs = static_cast<double>(shape().rows() * shape().kv_len);
    const auto entries = static_cast<double>(shape().rows() * settings_.budget);
    const auto labels = static_cast<double>(shape().batch * settings_.label_heads * shape().kv_len);
    return {labels_.build_cost("labels", shape()), labels_.scores_cost("label_scores", shape(), pairs, labels),
            compose::choice_cost("top_k", shape(), pairs, 1, entries)};  // a comparison with the threshold
  }

  std::vector<SideTensor> side_tensors() const override { return labels_.side_tensors("label_", shape()); }

 private:
  const Shape& shape() const { return inputs_.shape; }

  const AttentionInputs inputs_;
  const Settings settings_;
  const Queue on_;
  const std::unique_ptr<const compose::Engine> engine_;
  const selectors::QuantizedCopy labels_;
  const selectors::ListBuffer lists_;
  const compose::ScoreBuffer scores_;
  const Buffer workspace_;  // of the top-k engine
};

}  // namespace

std::unique_ptr<selectors::Selector> make_selector(Backend backend, const Task& task, const Settings& settings) {
  return std::make_unique<DoubleSparsitySelector>(backend, task, settings);
}

}  // namespace attnscope::double_sparsity
