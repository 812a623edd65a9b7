// SPDX-License-Identifier: Apache-2.0
#include "harness/method/reference_execution.hpp"

#include <algorithm>
#include <atomic>

#include "harness/base/half.hpp"
#include "harness/base/parallel.hpp"
#include "harness/verify/terms.hpp"

namespace attnscope {
namespace {

class ReferenceExecution final : public Execution {
 public:
  ReferenceExecution(const Method& method, const Task& task, const Params& params)
      : task_(task), definition_(method.define(task.inputs, task.phase, params, {})) {}

  void run(StageObserver& observer) override {
    const StageScope stage(observer, "attend", StageKind::attend);
    const Shape& shape = task_.inputs.shape;
    std::atomic<std::uint64_t> pairs{0};
    parallel_for(shape.rows(), hardware_threads(), [&](std::int64_t r) {
      const Row row{r / (shape.q_heads * shape.q_len), r / shape.q_len % shape.q_heads, r % shape.q_len};
      std::vector<std::int32_t> keys;
      attended_keys(row, keys);
      pairs += keys.size();
      const AttentionRows result = attention_with(task_.inputs, row, keys, definition_->terms(row, keys), 1);
      for (std::int64_t c = 0; c < shape.head_dim; ++c)
        store_element(task_.outputs.o, shape.dtype, r * shape.head_dim + c, static_cast<float>(result.o[c]));
      task_.outputs.lse[r] = static_cast<float>(result.lse[0]);
    });
    pairs_ = pairs;
  }

  std::uint64_t attended_pairs() const override { return pairs_; }

  void attended_keys(const Row& row, std::vector<std::int32_t>& keys) const override {
    RowSelection selection = definition_->select_row(row);
    keys = std::move(selection.keys);
    const auto chosen =
        keys.insert(keys.end(), selection.borderline.begin(), selection.borderline.begin() + selection.borderline_min);
    std::inplace_merge(keys.begin(), chosen, keys.end());
  }

  // Two multiply-adds per channel and pair; K, V and Q read once, O and LSE written once. Selection is not counted: it
  // is a definition here, not an algorithm.
  std::vector<StageCost> costs() const override {
    const Shape& shape = task_.inputs.shape;
    const auto flops = 4.0 * static_cast<double>(shape.head_dim) * static_cast<double>(pairs_);
    const auto bytes = 2.0 * static_cast<double>((shape.q_elements() + shape.kv_elements()) * size_of(shape.dtype)) +
                       static_cast<double>(shape.rows()) * sizeof(float);
    return {{.name = "attend", .kind = StageKind::attend, .flops = flops, .bytes = bytes}};
  }

 private:
  const Task task_;
  const std::unique_ptr<const Definition> definition_;
  std::uint64_t pairs_ = 0;
};

}  // namespace

std::unique_ptr<Execution> make_reference_execution(const Method& method, const Task& task, const Params& params) {
  return std::make_unique<ReferenceExecution>(method, task, params);
}

std::unique_ptr<Execution> prepare_backend(const Method& method, Backend backend, const Task& task,
                                           const Params& params) {
  return backend == Backend::reference ? make_reference_execution(method, task, params)
                                       : method.prepare(backend, task, params);
}

}  // namespace attnscope
