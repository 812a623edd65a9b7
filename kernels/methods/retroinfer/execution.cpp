// SPDX-License-Identifier: Apache-2.0
#include <optional>

#include "harness/workload/safetensors.hpp"
#include "kernels/compose/engine.hpp"
#include "kernels/compose/score_buffer.hpp"
#include "kernels/methods/retroinfer/zones.hpp"
#include "kernels/select/group_sum.hpp"
#include "kernels/selectors/list_buffer.hpp"

namespace attnscope::retroinfer {
namespace {

void merge(const Queue& queue, const Shape& shape, std::span<const AttentionOutputs> parts,
           const AttentionOutputs& out) {
  if (queue.backend == Backend::cpu) return attend::cpu_merge(shape, parts, out);
#if ATTNSCOPE_CUDA
  attend::cuda_merge(shape, parts, out, queue.stream);
#endif
}

/// Attention over a part of the keys.
struct Partial {
  Buffer o, lse;

  Partial(Space space, const Shape& shape)
      : o(space, shape.q_elements() * sizeof(float)), lse(space, shape.rows() * sizeof(float)) {}
  AttentionOutputs outputs() const { return {.o = o.data(), .lse = lse.as<float>(), .partial = true}; }
};

/// Clusters that stand for their keys: a list per (batch, KV head), ln(size) beside each entry.
struct EstimationZone {
  selectors::ListBuffer lists;
  Buffer log_size;

  EstimationZone(Space space, const Shape& shape, const Zones& zones)
      : lists(space, shape, shape.kv_heads, 1, zones.estimated),
        log_size(space, lists.rows() * lists.capacity() * sizeof(float)) {}
  TokenList view() const {
    TokenList list = lists.view();
    list.log_weight = {log_size.as<float>(), list.indices.size()};
    return list;
  }
};

class RetroInferExecution final : public Execution {
 public:
  RetroInferExecution(Backend backend, const Task& task, const Zones& zones)
      : task_(task),
        zones_(zones),
        queue_{backend, task.stream},
        engine_(compose::make_engine(backend, task.stream)),
        lists_(select::make_cluster_lists(queue_)),
        points_{.in = task.inputs, .first = zones.plan.first, .keys = zones.plan.keys},
        clusters_(queue_, points_, zones.plan),
        cluster_inputs_(cluster_inputs(task.inputs, zones, clusters_.centroids.data(), clusters_.values.data())),
        scores_(space(), shape().rows(), zones.plan.clusters),
        sums_(space(), shape().batch * shape().kv_heads, zones.plan.clusters),
        retrieved_(space(), shape(), shape().kv_heads, 1, zones.retrieved),
        ranked_(space(), shape(), shape().kv_heads, 1, zones.ranked()),
        keys_(space(), shape(), shape().kv_heads, 1, shape().kv_len),
        members_workspace_(space(), lists_->members_workspace(keys_.rows(), shape().kv_len)),
        group_workspace_(space(), select::group_sum_workspace(queue_, scores_.view())),
        select_workspace_(space(), engine_->select_workspace(keys_.rows(), sums_.stride())),
        attend_workspace_(space(), engine_->attend_workspace(shape(), keys_.view())) {
    if (zones.estimated == 0) return;
    estimation_.emplace(space(), shape(), zones);
    exact_part_.emplace(space(), shape());
    estimated_part_.emplace(space(), shape());
    estimate_workspace_ = Buffer(space(), engine_->attend_workspace(cluster_inputs_.shape, estimation_->view()));
  }

  void build(StageObserver& observer) override {
    const StageScope stage(observer, "clusters", StageKind::build);
    select::build_clusters(queue_, points_, zones_.plan, clusters_);
  }

  void run(StageObserver& observer) override {
    read_.reset();
    rank(observer);
    list_zones(observer);
    {
      const StageScope stage(observer, "attend", StageKind::attend);
      engine_->attend(task_.inputs, keys_.view(), estimation_ ? exact_part_->outputs() : task_.outputs,
                      attend_workspace_.data());
    }
    if (!estimation_) return;
    {
      const StageScope stage(observer, "estimate", StageKind::correct);
      engine_->attend(cluster_inputs_, estimation_->view(), estimated_part_->outputs(), estimate_workspace_.data());
    }
    const StageScope stage(observer, "merge", StageKind::merge);
    const AttentionOutputs parts[] = {exact_part_->outputs(), estimated_part_->outputs()};
    merge(queue_, shape(), parts, task_.outputs);
  }

  std::uint64_t attended_pairs() const override { return attnscope::attended_pairs(attended().view(), shape()); }
  void attended_keys(const Row& row, std::vector<std::int32_t>& keys) const override {
    attnscope::attended_keys(attended().view(), shape(), row, keys);
  }

  std::vector<StageCost> costs() const override {
    Listed listed{.keys = static_cast<double>(attended().entries())};
    if (estimation_) {
      std::vector<std::int32_t> counts(estimation_->lists.rows());
      engine_->read(counts.data(), estimation_->lists.lists().count, counts.size() * sizeof(std::int32_t));
      for (const std::int32_t count : counts) listed.estimated += count;
    }
    return retroinfer::costs(shape(), zones_, listed);
  }

  std::vector<SideTensor> side_tensors() const override { return built(); }

  // The index, and which clusters came first: the definition checks both.
  std::vector<SideTensor> built() const override {
    const std::int64_t batch = shape().batch, heads = shape().kv_heads, dim = shape().head_dim;
    const std::int64_t clusters = zones_.plan.clusters;
    const std::string element{safetensors_dtype(shape().dtype)};
    return {tensor("mean", "F32", {batch, heads, dim}, clusters_.mean.data(), clusters_.mean.bytes()),
            tensor("directions", element, {batch, heads, clusters, dim}, clusters_.directions.data(),
                   clusters_.directions.bytes()),
            tensor("centroids", element, {batch, heads, clusters, dim}, clusters_.centroids.data(),
                   clusters_.centroids.bytes()),
            tensor("values", element, {batch, heads, clusters, dim}, clusters_.values.data(), clusters_.values.bytes()),
            tensor("assignment", "I32", {batch, heads, zones_.plan.keys}, clusters_.assignment.data(),
                   clusters_.assignment.bytes()),
            list_tensor("retrieved", retrieved_),
            list_tensor("ranked", ranked_)};
  }

 private:
  const Shape& shape() const { return task_.inputs.shape; }
  Space space() const { return queue_.space(); }

  /// The first clusters of each KV head by the attention that its query heads pay to the centroids.
  void rank(StageObserver& observer) {
    const select::Scores scores = scores_.view(), sums = sums_.view();
    {
      const StageScope stage(observer, "centroid_scores", StageKind::select);
      engine_->logits(cluster_inputs_, scores, scores_.length());
    }
    {
      const StageScope stage(observer, "group_sum", StageKind::select);
      select::group_sum(queue_, scores, shape().group(), sums, sums_.length(), group_workspace_.data());
      lists_->mask_empty(zones_.plan, clusters_.begin.as<std::int32_t>(), sums);
    }
    const StageScope stage(observer, "top_k", StageKind::select);
    engine_->top_k(sums, zones_.retrieved, retrieved_.lists(), select_workspace_.data());
    engine_->top_k(sums, zones_.ranked(), ranked_.lists(), select_workspace_.data());
  }

  void list_zones(StageObserver& observer) {
    const StageScope stage(observer, "zones", StageKind::select);
    const auto* begin = clusters_.begin.as<std::int32_t>();
    lists_->members(zones_.plan, keys_.rows(), shape().kv_len, begin, clusters_.members.as<std::int32_t>(),
                    retrieved_.lists(), keys_.lists(), members_workspace_.data());
    if (estimation_)
      lists_->remaining(zones_.plan, keys_.rows(), begin, retrieved_.lists(), ranked_.lists(),
                        estimation_->lists.lists(), estimation_->log_size.as<float>());
  }

  SideTensor tensor(std::string name, std::string dtype, std::vector<std::int64_t> dims, const void* data,
                    std::size_t bytes) const {
    SideTensor side{.name = std::move(name), .dtype = std::move(dtype), .dims = std::move(dims), .bytes = {}};
    side.bytes.resize(bytes);
    engine_->read(side.bytes.data(), data, bytes);
    return side;
  }
  SideTensor list_tensor(std::string name, const selectors::ListBuffer& lists) const {
    return tensor(std::move(name), "I32", {shape().batch, shape().kv_heads, lists.capacity()}, lists.lists().indices,
                  lists.rows() * lists.capacity() * sizeof(std::int32_t));
  }

  const selectors::HostLists& attended() const {
    if (!read_) read_.emplace(*engine_, keys_.view(), shape(), keys_.capacity());
    return *read_;
  }

  const Task task_;
  const Zones zones_;
  const Queue queue_;
  const std::unique_ptr<const compose::Engine> engine_;
  const std::unique_ptr<const select::ClusterLists> lists_;
  const select::Points points_;
  const select::Clusters clusters_;
  const AttentionInputs cluster_inputs_;
  const compose::ScoreBuffer scores_;               // per query head
  const compose::ScoreBuffer sums_;                 // per KV head
  const selectors::ListBuffer retrieved_, ranked_;  // clusters
  const selectors::ListBuffer keys_;                // attended exactly
  const Buffer members_workspace_, group_workspace_, select_workspace_, attend_workspace_;
  std::optional<EstimationZone> estimation_;  // with the following, when clusters are estimated
  std::optional<Partial> exact_part_, estimated_part_;
  Buffer estimate_workspace_;
  mutable std::optional<selectors::HostLists> read_;  // attended keys of the last run, once somebody has asked
};

}  // namespace

std::unique_ptr<Execution> make_execution(Backend backend, const Task& task, const Zones& zones) {
  return std::make_unique<RetroInferExecution>(backend, task, zones);
}

}  // namespace attnscope::retroinfer
