// SPDX-License-Identifier: Apache-2.0
#include "kernels/compose/list_execution.hpp"

#include <algorithm>
#include <numeric>

#include "kernels/compose/cost.hpp"

namespace attnscope::compose {
namespace {

// Bound on the scores of a chunk. On the CPU about what a last-level cache holds. A GPU wants rows that fill it more
// than scores that stay in its cache. Measured on an H200 (60 MB of L2), one causal prefill by oracle_topk, budget
// 4096, in ms (below 256 MiB with logits in shorter blocks of keys, which suit few rows better):
//   scores of a chunk [MiB]            32    64    96   256   512  1024
//   2 heads, 128k tokens              512   391   343   247   236   227
//   1 head, 512k tokens                                1890  1468  1332
constexpr std::int64_t kHostScoreBytes = std::int64_t{32} << 20;
constexpr std::int64_t kDeviceScoreBytes = std::int64_t{1} << 30;

// Bounds on the lists kept on the host for attended_keys: rows are asked for in any order, so chunks are worth keeping
// where copying a whole one costs less than selecting again for every row.
constexpr std::int64_t kKeptChunkBytes = std::int64_t{64} << 20;
constexpr std::int64_t kKeptBytes = std::int64_t{512} << 20;

std::int64_t score_bytes(Space space) { return space == Space::host ? kHostScoreBytes : kDeviceScoreBytes; }

}  // namespace

ListExecution::ListExecution(Backend backend, const Task& task, const ListLayout& layout)
    : engine_(make_engine(backend, task.stream)),
      task_(task),
      layout_(layout),
      plan_(task, score_bytes(engine_->space())),
      begin_(engine_->space(), plan_.max_rows() * sizeof(std::int64_t)),
      count_(engine_->space(), task.inputs.shape.rows() * sizeof(std::int32_t)),
      indices_(engine_->space(), plan_.max_rows() * layout.capacity * sizeof(std::int32_t)) {
  std::vector<std::int64_t> begin(plan_.max_rows());
  for (std::size_t row = 0; row < begin.size(); ++row) begin[row] = static_cast<std::int64_t>(row) * layout.capacity;
  begin_.copy_from_host(begin.data(), begin_.bytes());
  count_.zero();

  attend_workspace_ = Buffer(engine_->space(), largest_need([&](const Chunk& chunk) {
                               return engine_->attend_workspace(chunk.inputs.shape, selection_of(chunk));
                             }));
}

std::size_t ListExecution::select_workspace(std::int64_t stride) const {
  return largest_need([&](const Chunk& chunk) { return engine_->select_workspace(chunk.inputs.shape.rows(), stride); });
}

// Chunks differ in length, and the fewest rows may be split the most: every chunk of a head is asked. Heads are alike.
std::size_t ListExecution::largest_need(const std::function<std::size_t(const Chunk&)>& need) const {
  std::size_t largest = 0;
  for (std::int64_t index = 0; index <= plan_.index_of({.query = task_.inputs.shape.q_len - 1}); ++index)
    largest = std::max(largest, need(plan_[index]));
  return largest;
}

select::Lists ListExecution::lists_of(const Chunk& chunk) const {
  return {.indices = indices_.as<std::int32_t>(),
          .count = count_.as<std::int32_t>() + chunk.first_row,
          .capacity = layout_.capacity};
}

TokenList ListExecution::selection_of(const Chunk& chunk) const {
  const auto rows = static_cast<std::size_t>(chunk.inputs.shape.rows());
  return {.heads = chunk.inputs.shape.q_heads,
          .page = layout_.page,
          .begin = {begin_.as<std::int64_t>(), rows},
          .count = {count_.as<std::int32_t>() + chunk.first_row, rows},
          .indices = {indices_.as<std::int32_t>(), rows * static_cast<std::size_t>(layout_.capacity)}};
}

void ListExecution::run(StageObserver& observer) {
  kept_.clear();
  for (std::int64_t index = 0; index < plan_.size(); ++index) {
    const Chunk chunk = plan_[index];
    select(chunk, lists_of(chunk), observer);
    const StageScope stage(observer, "attend", StageKind::attend);
    engine_->attend(chunk.inputs, selection_of(chunk), chunk.outputs, attend_workspace_.data());
  }
}

void ListExecution::select_again(std::int64_t index) const {
  const Chunk chunk = plan_[index];
  SilentObserver silent;
  select(chunk, lists_of(chunk), silent);
}

const std::vector<std::int32_t>& ListExecution::kept_lists(std::int64_t index) const {
  if (const auto kept = kept_.find(index); kept != kept_.end()) return kept->second;
  const std::int64_t chunk_bytes = static_cast<std::int64_t>(indices_.bytes());
  if (static_cast<std::int64_t>(kept_.size() + 1) * chunk_bytes > kKeptBytes) kept_.clear();
  select_again(index);
  std::vector<std::int32_t>& indices = kept_[index];
  indices.resize(static_cast<std::size_t>(plan_[index].inputs.shape.rows() * layout_.capacity));
  engine_->read(indices.data(), indices_.data(), indices.size() * sizeof(std::int32_t));
  return indices;
}

void ListExecution::read_list(const Row& row, std::vector<std::int32_t>& list) const {
  const Shape& shape = task_.inputs.shape;
  const std::int64_t index = plan_.index_of(row);
  const std::int64_t at = (row.batch * shape.q_heads + row.head) * shape.q_len + row.query;
  const std::int64_t offset = (at - plan_[index].first_row) * layout_.capacity;
  const std::vector<std::int32_t>* kept = nullptr;
  if (plan_.size() > 1 && static_cast<std::int64_t>(indices_.bytes()) <= kKeptChunkBytes)
    kept = &kept_lists(index);
  else if (plan_.size() > 1)
    select_again(index);
  std::int32_t count = 0;
  engine_->read(&count, count_.as<std::int32_t>() + at, sizeof count);
  list.resize(static_cast<std::size_t>(count));
  if (kept)
    std::copy_n(kept->data() + offset, count, list.data());
  else
    engine_->read(list.data(), indices_.as<std::int32_t>() + offset, list.size() * sizeof(std::int32_t));
}

void ListExecution::attended_keys(const Row& row, std::vector<std::int32_t>& keys) const {
  std::vector<std::int32_t> list;
  read_list(row, list);
  keys.clear();
  const std::int64_t visible = task_.inputs.shape.visible(row.query);
  for (const std::int64_t index : list)
    for (std::int64_t key = index * layout_.page; key < std::min((index + 1) * layout_.page, visible); ++key)
      keys.push_back(static_cast<std::int32_t>(key));
}

std::vector<std::int32_t> ListExecution::read_counts() const {
  std::vector<std::int32_t> counts(static_cast<std::size_t>(task_.inputs.shape.rows()));
  engine_->read(counts.data(), count_.data(), count_.bytes());
  return counts;
}

std::uint64_t ListExecution::attended_pairs() const {
  if (layout_.page == 1) {  // an index is a key, and only visible keys are listed
    const auto counts = read_counts();
    return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
  }
  const Shape& shape = task_.inputs.shape;
  std::uint64_t pairs = 0;
  std::vector<std::int32_t> keys;
  for (std::int64_t b = 0; b < shape.batch; ++b)
    for (std::int64_t h = 0; h < shape.q_heads; ++h)
      for (std::int64_t i = 0; i < shape.q_len; ++i) {
        attended_keys({b, h, i}, keys);
        pairs += keys.size();
      }
  return pairs;
}

// Distinct keys attended by the rows that share a KV head, summed over batches and KV heads. Exact while the lists of
// all rows are at hand; problems of several chunks charge at most every listed key and at most every key.
double ListExecution::kv_rows_read(const std::vector<std::int32_t>& counts) const {
  const Shape& shape = task_.inputs.shape;
  const std::int64_t rows_per_kv_head = shape.group() * shape.q_len;
  double total = 0;
  std::vector<std::int32_t> keys;
  for (std::int64_t kv = 0; kv < shape.batch * shape.kv_heads; ++kv) {
    if (plan_.size() > 1) {
      const auto first = counts.begin() + kv * rows_per_kv_head;
      const std::int64_t listed = std::accumulate(first, first + rows_per_kv_head, std::int64_t{0});
      total += static_cast<double>(std::min(listed * layout_.page, shape.kv_len));
      continue;
    }
    std::vector<bool> attended(static_cast<std::size_t>(shape.kv_len));
    for (std::int64_t row = kv * rows_per_kv_head; row < (kv + 1) * rows_per_kv_head; ++row) {
      const std::int64_t head = row / shape.q_len;
      attended_keys({head / shape.q_heads, head % shape.q_heads, row % shape.q_len}, keys);
      for (const std::int32_t key : keys) attended[key] = true;
    }
    total += static_cast<double>(std::ranges::count(attended, true));
  }
  return total;
}

std::vector<StageCost> ListExecution::costs() const {
  const Shape& shape = task_.inputs.shape;
  const auto counts = read_counts();
  const auto entries = static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}));
  // An int32 per index, an int64 begin and an int32 count per row.
  const double list_bytes = 4 * entries + 12 * static_cast<double>(shape.rows());
  std::vector<StageCost> costs = select_costs(entries);
  costs.push_back(attend_cost(shape, static_cast<double>(attended_pairs()), kv_rows_read(counts), list_bytes));
  return costs;
}

}  // namespace attnscope::compose
