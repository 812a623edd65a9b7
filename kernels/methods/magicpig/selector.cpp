// SPDX-License-Identifier: Apache-2.0
#include "kernels/compose/engine.hpp"
#include "kernels/methods/magicpig/cost.hpp"
#include "kernels/methods/magicpig/settings.hpp"
#include "kernels/selectors/list_buffer.hpp"

namespace attnscope::magicpig {
namespace {

class MagicPigSelector final : public selectors::Selector {
 public:
  MagicPigSelector(Backend backend, const Task& task, const Settings& settings)
      : shape_(task.inputs.shape),
        settings_(settings),
        engine_(compose::make_engine(backend, task.stream)),
        index_(select::make_lsh_index({.backend = backend, .stream = task.stream}, task.inputs, settings.lsh)),
        lists_(engine_->space(), shape_, shape_.q_heads, 1, shape_.kv_len),
        log_weight_(engine_->space(), shape_.rows() * shape_.kv_len * sizeof(float)) {}

  void build(StageObserver& observer) override {
    if (lsh().centred) {
      const StageScope stage(observer, "centre", StageKind::build);
      index_->centre();
    }
    for (std::int64_t pass = 0; pass < index_->passes(); ++pass) {
      {
        const StageScope stage(observer, "hash_keys", StageKind::build);
        index_->hash_keys(pass);
      }
      const StageScope stage(observer, "sort", StageKind::build);
      index_->sort_keys(pass);
    }
  }

  void select(StageObserver& observer) override {
    {
      const StageScope stage(observer, "hash", StageKind::select);
      index_->hash_queries();
    }
    {
      const StageScope stage(observer, "lookup", StageKind::select);
      index_->find_collisions();
    }
    {
      const StageScope stage(observer, "list", StageKind::select);
      index_->list(lists_.lists());
    }
    const StageScope stage(observer, "weigh", StageKind::correct);
    index_->weigh(lists_.lists(), static_cast<float>(settings_.floor), log_weight_.as<float>());
  }

  TokenList lists() const override {
    TokenList lists = lists_.view();
    lists.log_weight = {log_weight_.as<float>(), lists.indices.size()};
    return lists;
  }
  std::int64_t capacity() const override { return lists_.capacity(); }

  std::vector<StageCost> costs() const override {
    const selectors::HostLists lists(*engine_, lists_.view(), shape_, capacity());
    const std::int64_t heads = shape_.batch * shape_.kv_heads, always = shape_.kv_len - lsh().keys();
    return magicpig::costs(shape_, lsh(),
                           {.entries = bucket_entries(),
                            .listed = static_cast<double>(lists.entries()),
                            .sampled = static_cast<double>(lists.entries() - shape_.rows() * always),
                            .sampled_keys = static_cast<double>(lists.distinct_keys(shape_) - heads * always)});
  }

  std::vector<SideTensor> side_tensors() const override { return built(); }

  std::vector<SideTensor> built() const override {
    const select::LshTables tables = index_->tables();
    const std::int64_t batch = shape_.batch, heads = shape_.kv_heads;
    std::vector<SideTensor> built;
    built.push_back(read("centre", "F32", {batch, heads, shape_.head_dim}, tables.centre));
    built.push_back(read("table_begin", "I32", {batch, heads, lsh().tables, lsh().buckets() + 1}, tables.begin));
    built.push_back(read("table_keys", "I32", {batch, heads, lsh().tables, lsh().keys()}, tables.keys));
    built.push_back(read("query_codes", "U16", {lsh().tables, batch, shape_.q_heads}, tables.query_codes));
    return built;
  }

 private:
  const select::Lsh& lsh() const { return settings_.lsh; }

  template <typename T>
  SideTensor read(std::string name, std::string dtype, std::vector<std::int64_t> dims, const T* data) const {
    std::size_t bytes = sizeof(T);
    for (const std::int64_t dim : dims) bytes *= dim;
    SideTensor tensor{.name = std::move(name),
                      .dtype = std::move(dtype),
                      .dims = std::move(dims),
                      .bytes = std::vector<std::byte>(bytes)};
    engine_->read(tensor.bytes.data(), data, bytes);
    return tensor;
  }

  // Keys in the buckets of all queries.
  double bucket_entries() const {
    const select::LshTables tables = index_->tables();
    std::vector<std::int32_t> begin(shape_.batch * shape_.kv_heads * lsh().tables * (lsh().buckets() + 1));
    std::vector<std::uint16_t> codes(lsh().tables * shape_.rows());
    engine_->read(begin.data(), tables.begin, begin.size() * sizeof(std::int32_t));
    engine_->read(codes.data(), tables.query_codes, codes.size() * sizeof(std::uint16_t));
    double entries = 0;
    for (std::int64_t table = 0; table < lsh().tables; ++table)
      for (std::int64_t row = 0; row < shape_.rows(); ++row) {
        const std::int64_t index = row / shape_.group() * lsh().tables + table;
        const std::int32_t* bucket = &begin[index * (lsh().buckets() + 1) + codes[table * shape_.rows() + row]];
        entries += bucket[1] - bucket[0];
      }
    return entries;
  }

  const Shape shape_;
  const Settings settings_;
  const std::unique_ptr<const compose::Engine> engine_;
  const std::unique_ptr<select::LshIndex> index_;
  const selectors::ListBuffer lists_;
  const Buffer log_weight_;  // float [rows, kv_len]
};

}  // namespace

std::unique_ptr<selectors::Selector> make_selector(Backend backend, const Task& task, const Settings& settings) {
  return std::make_unique<MagicPigSelector>(backend, task, settings);
}

}  // namespace attnscope::magicpig
