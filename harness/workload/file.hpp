// SPDX-License-Identifier: Apache-2.0
// The `file` workload: captured or saved Q, K and V. The same format carries a problem from process to process.
//
// A safetensors file holds q [B, Hq, Nq, D], k and v [B, Hkv, Nkv, D] of one dtype (F32, F16 or BF16), and
// optionally past_q [B, Hq, history, D], the queries of the positions before those of q, and a retrieval task:
// task.rows I64 [R, 3] (batch, head, query), task.answers I64 [R], task.candidates F32 [C, D].
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/attention.hpp"
#include "harness/base/mapped_file.hpp"
#include "harness/workload/workload.hpp"

namespace attnscope {

struct FileOptions {
  /// The mask; when absent the file's metadata `causal` decides (save_problem and the capture script write it).
  std::optional<bool> causal;
  /// Look for NaN and infinity in the tensors. Only for files that this program itself has just written may it be off.
  bool check_finite = true;
};

/// A problem whose tensors lie in mapped files, so that many processes can share one copy. A tensor that does not
/// start at a multiple of 64 bytes is copied.
struct MappedProblem {
  Shape shape;
  Phase phase = Phase::prefill;
  const void* q = nullptr;
  const void* k = nullptr;
  const void* v = nullptr;
  const void* past_q = nullptr;  // null when shape.history is 0
  std::optional<RetrievalTask> task;
  nlohmann::json provenance = nlohmann::json::object();

  std::vector<MappedFile> files;
  std::vector<Buffer> copies;

  AttentionInputs inputs() const;
  /// Equal to Problem::hash of the same tensors.
  std::string hash() const;
};

/// `source` is a safetensors file or three npy files "q.npy,k.npy,v.npy". The phase is the one that save_problem wrote,
/// else decode when q_len is 1, else prefill. Throws InputError, one line naming file and tensor, for every fault: a
/// missing tensor, a wrong dtype or rank, dimensions that do not agree, a shape without meaning, NaN or infinity.
MappedProblem map_problem(const std::string& source, const FileOptions& options = {});

/// The same, copied into memory that this process owns.
Problem load_problem(const std::string& source, const FileOptions& options = {});

/// Writes tensors, mask, phase, task and provenance, so that map_problem returns an equal problem (but for cache_page,
/// which is no property of the tensors). Whole or not at all.
void save_problem(const std::string& path, const Problem& problem);

}  // namespace attnscope
