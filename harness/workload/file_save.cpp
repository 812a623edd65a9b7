// SPDX-License-Identifier: Apache-2.0
#include "harness/workload/file.hpp"
#include "harness/workload/safetensors.hpp"

namespace attnscope {

void save_problem(const std::string& path, const Problem& problem) {
  const Shape& shape = problem.shape;
  const std::string dtype{safetensors_dtype(shape.dtype)};
  const std::vector<std::int64_t> q_dims{shape.batch, shape.q_heads, shape.q_len, shape.head_dim};
  const std::vector<std::int64_t> kv_dims{shape.batch, shape.kv_heads, shape.kv_len, shape.head_dim};
  std::vector<TensorToWrite> tensors{{"q", dtype, q_dims, problem.q.data()},
                                     {"k", dtype, kv_dims, problem.k.data()},
                                     {"v", dtype, kv_dims, problem.v.data()}};
  if (problem.past_q)
    tensors.push_back(
        {"past_q", dtype, {shape.batch, shape.q_heads, shape.history, shape.head_dim}, problem.past_q.data()});

  std::vector<std::int64_t> rows;  // outlives the write
  if (problem.task) {
    const RetrievalTask& task = *problem.task;
    for (const Row& row : task.rows) rows.insert(rows.end(), {row.batch, row.head, row.query});
    const auto count = static_cast<std::int64_t>(task.rows.size());
    const auto candidates = static_cast<std::int64_t>(task.candidates.size()) / shape.head_dim;
    tensors.push_back({"task.rows", "I64", {count, 3}, rows.data()});
    tensors.push_back({"task.answers", "I64", {count}, task.answers.data()});
    tensors.push_back({"task.candidates", "F32", {candidates, shape.head_dim}, task.candidates.data()});
  }
  write_safetensors(path, tensors,
                    {{"causal", shape.causal ? "true" : "false"},
                     {"phase", std::string{to_string(problem.phase)}},
                     {"provenance", problem.provenance.dump()}});
}

}  // namespace attnscope
