// SPDX-License-Identifier: Apache-2.0
#include <numeric>

#include "harness/workload/safetensors.hpp"
#include "kernels/compose/engine.hpp"
#include "kernels/methods/pqcache/settings.hpp"
#include "kernels/selectors/list_buffer.hpp"

namespace attnscope::pqcache {
namespace {

class PqCacheSelector final : public selectors::Selector {
 public:
  PqCacheSelector(Backend backend, const Task& task, const Settings& settings)
      : inputs_(task.inputs),
        settings_(settings),
        queue_{backend, task.stream},
        engine_(compose::make_engine(backend, task.stream)),
        code_engine_(select::make_code_engine(queue_)),
        index_(queue_, points_of(inputs_, settings), settings.plan),
        lists_(queue_.space(), shape(), shape().kv_heads, 1, settings.attended()),
        marks_(queue_.space(), heads() * settings.plan.codes()),
        ties_(queue_.space(), heads() * sizeof(std::int32_t)),
        workspace_(queue_.space(), code_engine_->list_workspace(settings.plan, heads())) {
    // Sinks and recent keys are the same at every step; the chosen ones come in between.
    std::vector<std::int32_t> list(settings.attended());
    std::iota(list.begin(), list.end() - settings.recent, 0);
    std::iota(list.end() - settings.recent, list.end(), static_cast<std::int32_t>(shape().kv_len - settings.recent));
    lists_.fill(list);
  }

  void build(StageObserver& observer) override {
    const StageScope stage(observer, "codes", StageKind::build);
    select::build_codes(queue_, points_of(inputs_, settings_), settings_.plan, index_);
  }

  void select(StageObserver& observer) override {
    {
      const StageScope stage(observer, "rank_codes", StageKind::select);
      code_engine_->rank(inputs_, settings_.plan, index_, marks_.as<std::uint8_t>(), ties_.as<std::int32_t>());
    }
    const StageScope stage(observer, "list_keys", StageKind::select);
    code_engine_->list(settings_.plan, heads(), index_, marks_.as<std::uint8_t>(), ties_.as<std::int32_t>(),
                       lists_.lists(), settings_.plan.first, workspace_.data());
  }

  TokenList lists() const override { return lists_.view(); }
  std::int64_t capacity() const override { return lists_.capacity(); }
  std::vector<StageCost> costs() const override { return pqcache::costs(shape(), settings_); }
  std::vector<SideTensor> side_tensors() const override { return built(); }

  std::vector<SideTensor> built() const override {
    const select::CodePlan& plan = settings_.plan;
    const std::int64_t batch = shape().batch, kv_heads = shape().kv_heads;
    return {read("centroids", std::string(safetensors_dtype(shape().dtype)),
                 {batch, kv_heads, plan.parts, plan.centroids(), shape().head_dim / plan.parts}, index_.centroids),
            read("codes", "U16", {batch, kv_heads, plan.keys}, index_.codes)};
  }

 private:
  const Shape& shape() const { return inputs_.shape; }
  std::int64_t heads() const { return shape().batch * shape().kv_heads; }

  SideTensor read(std::string name, std::string dtype, std::vector<std::int64_t> dims, const Buffer& buffer) const {
    SideTensor side{.name = std::move(name), .dtype = std::move(dtype), .dims = std::move(dims), .bytes = {}};
    side.bytes.resize(buffer.bytes());
    engine_->read(side.bytes.data(), buffer.data(), buffer.bytes());
    return side;
  }

  const AttentionInputs inputs_;
  const Settings settings_;
  const Queue queue_;
  const std::unique_ptr<const compose::Engine> engine_;
  const std::unique_ptr<const select::CodeEngine> code_engine_;
  const select::ProductCodes index_;
  selectors::ListBuffer lists_;
  const Buffer marks_;  // uint8 [heads, codes]
  const Buffer ties_;   // int32 [heads]
  const Buffer workspace_;
};

}  // namespace

std::unique_ptr<selectors::Selector> make_selector(Backend backend, const Task& task, const Settings& settings) {
  return std::make_unique<PqCacheSelector>(backend, task, settings);
}

}  // namespace attnscope::pqcache
