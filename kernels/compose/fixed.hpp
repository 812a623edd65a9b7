// SPDX-License-Identifier: Apache-2.0
// Executions of a selection that is known before the call: one stage, `attend`.
#pragma once

#include <cstdint>
#include <memory>

#include "harness/method/method.hpp"
#include "kernels/core/selection.hpp"

namespace attnscope::compose {

/// Dense or Band on `task`; a derived class says which kernel attends. `keys_read` is the number of keys per
/// (batch, KV head) that at least one row attends.
class FixedExecution : public Execution {
 public:
  FixedExecution(const Task& task, const Selection& selection, std::int64_t keys_read);

  void run(StageObserver& observer) final;
  std::uint64_t attended_pairs() const final;
  void attended_keys(const Row& row, std::vector<std::int32_t>& keys) const final;
  std::vector<StageCost> costs() const final;

 protected:
  virtual void attend() = 0;

  const Task task_;
  const Selection selection_;

 private:
  const std::int64_t keys_read_;
};

/// The same with the attend engine of `backend` (cpu or cuda).
std::unique_ptr<Execution> attend_fixed(Backend backend, const Task& task, const Selection& selection,
                                        std::int64_t keys_read);

/// Exact attention with the attend engine of `backend`; what a sparse method does when its budget covers everything.
std::unique_ptr<Execution> attend_dense(Backend backend, const Task& task);

}  // namespace attnscope::compose
