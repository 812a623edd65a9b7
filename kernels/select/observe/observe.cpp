// SPDX-License-Identifier: Apache-2.0
// Exact logits of a chunk of earlier queries, the future hidden, softmax rows summed per head, chunks added up.
#include "kernels/select/observe.hpp"

#include <algorithm>

#include "kernels/select/engines.hpp"
#include "kernels/select/group_sum.hpp"
#include "kernels/select/observe/steps.hpp"

namespace attnscope::select {
namespace {

// Bound on the scores of a chunk, as for the oracles: about a last-level cache, or what keeps a GPU busy.
constexpr std::int64_t kHostScoreBytes = std::int64_t{32} << 20;
constexpr std::int64_t kDeviceScoreBytes = std::int64_t{1} << 30;

constexpr std::int64_t kAlignment = 256;

std::int64_t aligned(std::int64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

/// Where the pieces of the workspace lie.
struct Layout {
  std::int64_t queries;  // of a chunk, per head
  Scores scores;         // [heads · queries, stride]
  std::int32_t* length;  // [heads · queries]
  Scores part;           // [heads, stride]: the sums of one chunk
  std::int32_t* part_length;
  void* group_sum;
  std::int64_t bytes;

  Layout(const Queue& on, const Shape& shape, std::int64_t all_queries, std::int64_t stride, void* workspace) {
    const std::int64_t heads = shape.batch * shape.q_heads;
    const std::int64_t budget = on.space() == Space::host ? kHostScoreBytes : kDeviceScoreBytes;
    queries = std::clamp<std::int64_t>(budget / (heads * stride * std::int64_t{sizeof(float)}), 1, all_queries);
    auto* at = static_cast<std::byte*>(workspace);
    bytes = 0;
    const auto take = [&](std::int64_t size) {
      std::byte* piece = at == nullptr ? nullptr : at + bytes;
      bytes += aligned(size);
      return piece;
    };
    length = reinterpret_cast<std::int32_t*>(take(heads * queries * std::int64_t{sizeof(std::int32_t)}));
    part_length = reinterpret_cast<std::int32_t*>(take(heads * std::int64_t{sizeof(std::int32_t)}));
    scores = {.data = reinterpret_cast<float*>(take(heads * queries * stride * std::int64_t{sizeof(float)})),
              .rows = heads * queries,
              .stride = stride,
              .length = length};
    part = {.data = reinterpret_cast<float*>(take(heads * stride * std::int64_t{sizeof(float)})),
            .rows = heads,
            .stride = stride,
            .length = part_length};
    group_sum = take(static_cast<std::int64_t>(group_sum_workspace(on, scores)));
  }
};

/// The earlier queries as the queries of a problem that hides nothing.
AttentionInputs past_queries(const AttentionInputs& in) {
  AttentionInputs past = in;
  past.q = in.past_q;
  past.shape.q_len = in.shape.history;
  past.shape.causal = false;
  return past;
}

}  // namespace

std::size_t observe_workspace(const Queue& on, const AttentionInputs& in, std::int64_t queries, std::int64_t stride) {
  return static_cast<std::size_t>(Layout(on, in.shape, queries, stride, nullptr).bytes);
}

void observed_attention(const Queue& on, const AttentionInputs& in, std::int64_t queries, const Scores& sums,
                        std::int32_t* length, void* workspace) {
  const Shape& shape = in.shape;
  const AttentionInputs past = past_queries(in);
  const std::int64_t before = shape.kv_len - shape.q_len;  // keys older than the call
  for (std::int64_t done = 0; done < queries;) {
    // A last chunk may have fewer queries: its layout is the same with fewer rows.
    Layout chunk(on, shape, queries, sums.stride, workspace);
    const std::int64_t count = std::min(chunk.queries, queries - done);
    chunk.scores.rows = shape.batch * shape.q_heads * count;
    const QueryRange range{.first = shape.history - queries + done, .count = count};
    const Future future{.queries = count, .first_limit = before - queries + done + 1, .end = shape.kv_len};
    const bool first = done == 0;
    const Scores& target = first ? sums : chunk.part;
    std::int32_t* const target_length = first ? length : chunk.part_length;
    if (on.backend == Backend::cpu) {
      cpu::logits(past, range, chunk.scores, chunk.length);
      cpu::hide_future(chunk.scores, future);
      cpu::group_sum(chunk.scores, count, target, target_length, chunk.group_sum);
      if (!first) cpu::add_scores(chunk.part, before, sums);
    } else {
#if ATTNSCOPE_CUDA
      cuda::logits(past, range, chunk.scores, chunk.length, on.stream);
      cuda::hide_future(chunk.scores, future, on.stream);
      cuda::group_sum(chunk.scores, count, target, target_length, chunk.group_sum, on.stream);
      if (!first) cuda::add_scores(chunk.part, before, sums, on.stream);
#else
      refuse_cuda();
#endif
    }
    done += count;
  }
}

void pool_prefix(const Queue& on, const Scores& scores, const Pool& pool, std::int64_t prefix, std::int64_t end,
                 const Scores& pooled, std::int32_t* length) {
  if (on.backend == Backend::cpu) return cpu::pool_prefix(scores, pool, prefix, end, pooled, length);
#if ATTNSCOPE_CUDA
  cuda::pool_prefix(scores, pool, prefix, end, pooled, length, on.stream);
#else
  refuse_cuda();
#endif
}

}  // namespace attnscope::select
