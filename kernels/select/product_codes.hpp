// SPDX-License-Identifier: Apache-2.0
// Product quantisation of keys and the choice of keys by their codes: PQCache's index (arXiv 2407.12820).
//
// A key's channels fall into `parts` sub-vectors, each of which is replaced by the number of the nearest of 2^bits
// centroids. Its score is a sum of one table entry per part, so that there are only 2^(parts · bits) different scores,
// 4096 with the paper's two parts of six bits: a decoding step ranks codes, not keys, and reads two bytes per key.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "harness/base/attention.hpp"
#include "harness/device/buffer.hpp"
#include "kernels/core/queue.hpp"
#include "kernels/select/clusters/k_means.hpp"
#include "kernels/select/select.hpp"

namespace attnscope::select {

/// Keys [first, first + keys) of every (batch, KV head) have codes; the first `candidates` of them can be chosen, and
/// `choose` are. Centroids start at evenly spaced keys; `iterations` rounds give each sub-vector to its nearest one and
/// then average; codes name the nearest at the end.
struct CodePlan {
  std::int64_t first = 0;
  std::int64_t keys = 0;
  std::int64_t candidates = 0;
  std::int64_t choose = 0;
  std::int64_t parts = 2;
  std::int64_t bits = 6;
  std::int64_t iterations = 10;

  static constexpr std::int64_t kMaxCodeBits = 12;  // of all parts together
  constexpr std::int64_t centroids() const { return std::int64_t{1} << bits; }
  /// Different codes. That of a key is Σ over parts p of its centroid number · 2^(p · bits).
  constexpr std::int64_t codes() const { return std::int64_t{1} << parts * bits; }
};

/// The index, in one memory space. heads = batch · kv_heads; keys are numbered from the first one with a code.
struct ProductCodes {
  ProductCodes(const Queue& queue, const Points& points, const CodePlan& plan);

  Buffer centroids;  // K's dtype [heads, parts, 2^bits, head_dim / parts]
  Buffer codes;      // uint16 [heads, keys]
  Buffer counts;     // int32 [heads, codes], candidates with each code
  // Of the k-means, kept to build again:
  Buffer bias, assignment, begin, members, workspace;
};

/// `points` has plan.parts parts and the plan's keys.
void build_codes(const Queue& queue, const Points& points, const CodePlan& plan, const ProductCodes& index);

class CodeEngine {
 public:
  virtual ~CodeEngine() = default;

  /// Codes and counts from the centroid numbers [heads, parts, keys] in index.assignment.
  virtual void encode(const CodePlan& plan, std::int64_t heads, const ProductCodes& index) const = 0;

  /// Ranks codes by Σ over the query heads of a group of softmax(scale · Σ_p q_p · centroid_p) over the candidates, as
  /// if every candidate had been scored. marks [heads, codes]: 2 for codes all of whose candidates are chosen, 1 for
  /// those among which the first ties[head] in the order of keys are, else 0.
  virtual void rank(const AttentionInputs& in, const CodePlan& plan, const ProductCodes& index, std::uint8_t* marks,
                    std::int32_t* ties) const = 0;

  virtual std::size_t list_workspace(const CodePlan& plan, std::int64_t heads) const = 0;
  /// Writes plan.first + number of each chosen key, ascending, from indices[head · capacity + at] on. Counts are left
  /// alone: they are known beforehand.
  virtual void list(const CodePlan& plan, std::int64_t heads, const ProductCodes& index, const std::uint8_t* marks,
                    const std::int32_t* ties, const Lists& lists, std::int64_t at, void* workspace) const = 0;
};

std::unique_ptr<const CodeEngine> make_code_engine(const Queue& queue);
std::unique_ptr<const CodeEngine> make_cpu_code_engine();
/// Throws MachineError in a build without CUDA.
std::unique_ptr<const CodeEngine> make_cuda_code_engine(void* stream);

}  // namespace attnscope::select
