// SPDX-License-Identifier: Apache-2.0
// Executions that first write lists of the keys each row attends and then attend them, chunk by chunk, so that memory
// stays linear in the context: one chunk's lists at a time, and one count per row.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "kernels/compose/chunk.hpp"
#include "kernels/compose/engine.hpp"

namespace attnscope::compose {

/// An index of a list names `page` keys; no row's list has more than `capacity` indices.
struct ListLayout {
  std::int64_t page = 1;
  std::int64_t capacity = 0;
};

/// A derived class says how the lists of a chunk come about and what that cost.
class ListExecution : public Execution {
 public:
  void run(StageObserver& observer) final;
  std::uint64_t attended_pairs() const final;
  /// Problems of several chunks select the row's chunk again, since its lists have been overwritten by later chunks,
  /// and keep the result for the next row unless it is large.
  void attended_keys(const Row& row, std::vector<std::int32_t>& keys) const final;
  std::vector<StageCost> costs() const final;

 protected:
  ListExecution(Backend backend, const Task& task, const ListLayout& layout);

  /// Writes the lists of `chunk`, inside stages of kind `select`. Enqueues only.
  virtual void select(const Chunk& chunk, const select::Lists& lists, StageObserver& observer) const = 0;
  /// Costs of the stages before `attend`, given the list entries that the last run wrote.
  virtual std::vector<StageCost> select_costs(double entries) const = 0;

  const Engine& engine() const { return *engine_; }
  const Task& task() const { return task_; }
  const ChunkPlan& plan() const { return plan_; }
  /// Bytes with which top_k and top_p can choose from the scores of any chunk, rows `stride` apart.
  std::size_t select_workspace(std::int64_t stride) const;

 private:
  std::size_t largest_need(const std::function<std::size_t(const Chunk&)>& need) const;
  select::Lists lists_of(const Chunk& chunk) const;
  TokenList selection_of(const Chunk& chunk) const;
  void read_list(const Row& row, std::vector<std::int32_t>& list) const;
  void select_again(std::int64_t index) const;
  const std::vector<std::int32_t>& kept_lists(std::int64_t index) const;
  std::vector<std::int32_t> read_counts() const;
  double kv_rows_read(const std::vector<std::int32_t>& counts) const;

  const std::unique_ptr<const Engine> engine_;
  const Task task_;
  const ListLayout layout_;
  const ChunkPlan plan_;
  Buffer begin_;    // int64 [rows of a chunk]
  Buffer count_;    // int32 [rows of the problem]
  Buffer indices_;  // int32 [rows of a chunk, capacity]
  Buffer attend_workspace_;

  // Host copies of the lists of chunks that were selected again, by chunk number.
  mutable std::map<std::int64_t, std::vector<std::int32_t>> kept_;
};

}  // namespace attnscope::compose
