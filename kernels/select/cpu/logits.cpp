// SPDX-License-Identifier: Apache-2.0
// Logits, as a matrix product where a KV head serves many query rows, and as dot products that read each key once
// where it serves the rows of one query only.
#include "kernels/select/cpu/logits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "harness/base/error.hpp"
#include "kernels/select/cpu/key_rows.hpp"

// foreach_target.h compiles this file once per instruction set and comes before what it compiles.
// clang-format off
#include "kernels/core/simd_targets.hpp"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/select/cpu/logits.cpp"
#include <hwy/foreach_target.h>

#include "kernels/core/dot-inl.h"
#include "kernels/core/simd-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace attnscope::select {
namespace HWY_NAMESPACE {

using namespace attnscope::HWY_NAMESPACE;  // the vocabulary of this instruction set

// Rows of one KV head, queries outer and heads of the group inner: all see nearly the same keys.
struct HeadRows {
  const AttentionInputs& in;
  QueryRange range;
  std::int64_t kv_head;

  std::int64_t count() const { return range.count * in.shape.group(); }
  std::int64_t query(std::int64_t r) const { return range.first + r / in.shape.group(); }
  std::int64_t head(std::int64_t r) const { return kv_head * in.shape.group() + r % in.shape.group(); }
  std::int64_t score_row(std::int64_t r) const { return head(r) * range.count + r / in.shape.group(); }

  template <typename T>
  void widen_query(std::int64_t r, const T* q, float* out) const {
    const std::int64_t d = in.shape.head_dim;
    widen_row(q + (head(r) * in.shape.q_len + query(r)) * d, d, in.scale, out);
  }
};

// Rows [0, count) of k are keys first_key, first_key + 1, ...
template <typename T>
void score_many(const HeadRows& rows, const T* q, const T* k, std::int64_t first_key, std::int64_t count,
                const Scores& scores) {
  const F32 d;
  const Shape& shape = rows.in.shape;
  HWY_ALIGN float packed[kBlockKeys * kMaxHeadDim];
  HWY_ALIGN float queries[kStripRows * kMaxHeadDim] = {};
  HWY_ALIGN float out[kStripRows * kBlockKeys];
  pack_transposed(k, count, shape.head_dim, packed);
  for (std::int64_t r0 = 0; r0 < rows.count(); r0 += kStripRows) {
    const std::int64_t strip_rows = std::min(kStripRows, rows.count() - r0);
    const std::int64_t seen = std::min(count, shape.visible(rows.query(r0 + strip_rows - 1)) - first_key);
    if (seen <= 0) continue;
    for (std::int64_t r = 0; r < strip_rows; ++r) rows.widen_query(r0 + r, q, queries + r * kMaxHeadDim);
    Strip strip;
    for (std::int64_t c = 0; c < seen; c += kPanel) {
      multiply<kMaxHeadDim>(queries, packed + c * shape.head_dim, shape.head_dim, strip);
#pragma GCC unroll 12
      for (std::int64_t r = 0; r < kStripRows; ++r) {
        hn::Store(strip.acc[r][0], d, out + r * kBlockKeys + c);
        hn::Store(strip.acc[r][1], d, out + r * kBlockKeys + c + kLanes);
      }
    }
    for (std::int64_t r = 0; r < strip_rows; ++r) {
      const std::int64_t own = std::min(count, shape.visible(rows.query(r0 + r)) - first_key);
      if (own > 0)
        std::copy_n(out + r * kBlockKeys, own, scores.data + rows.score_row(r0 + r) * scores.stride + first_key);
    }
  }
}

// The rows of one query, which all see the same keys.
template <typename T>
void score_few(const HeadRows& rows, const T* q, const T* k, std::int64_t first_key, std::int64_t count,
               const Scores& scores) {
  constexpr std::int64_t kRows = 16;
  HWY_ALIGN float queries[kRows * kMaxHeadDim];
  const std::int64_t seen = std::min(count, rows.in.shape.visible(rows.query(0)) - first_key);
  for (std::int64_t r0 = 0; r0 < rows.count(); r0 += kRows) {
    const std::int64_t part = std::min(kRows, rows.count() - r0);
    for (std::int64_t r = 0; r < part; ++r) rows.widen_query(r0 + r, q, queries + r * rows.in.shape.head_dim);
    to_pair_order<T>(queries, part * rows.in.shape.head_dim);
    dot_all(queries, part, k, seen, rows.in.shape.head_dim,
            scores.data + rows.score_row(r0) * scores.stride + first_key, scores.stride);
  }
}

void score_block(const AttentionInputs& in, const QueryRange& range, std::int64_t kv_head, std::int64_t block,
                 const Scores& scores) {
  const Shape& shape = in.shape;
  const HeadRows rows{in, range, kv_head};
  const std::int64_t first = block * kBlockKeys, count = std::min(kBlockKeys, shape.kv_len - first);
  std::vector<std::byte> staging;
  const void* const keys = consecutive_keys(in, kv_head, first, count, staging);
  with_element(shape.dtype, [&](auto type) HWY_ATTR {
    const auto* q = static_cast<decltype(type)>(in.q);
    const auto* k = static_cast<decltype(type)>(keys);
    range.count == 1 ? score_few(rows, q, k, first, count, scores) : score_many(rows, q, k, first, count, scores);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace attnscope::select
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace attnscope::select {

HWY_EXPORT(score_block);

void score_block(const AttentionInputs& in, const QueryRange& range, std::int64_t kv_head, std::int64_t block,
                 const Scores& scores) {
  HWY_DYNAMIC_DISPATCH(score_block)(in, range, kv_head, block, scores);
}

namespace cpu {

void logits(const AttentionInputs& in, QueryRange range, Scores scores, std::int32_t* length) {
  const Shape& shape = in.shape;
  if (shape.head_dim != 32 && shape.head_dim != 64 && shape.head_dim != 128)
    throw Error(fmt::format("select::cpu::logits: expected head_dim 32, 64 or 128, found {}", shape.head_dim));
  for (std::int64_t r = 0; r < shape.batch * shape.q_heads * range.count; ++r)
    length[r] = static_cast<std::int32_t>(shape.visible(range.first + r % range.count));

  // Under a causal mask keys beyond the last query of the range are not scored.
  const std::int64_t seen = shape.visible(range.first + range.count - 1);
  const std::int64_t blocks = (seen + kBlockKeys - 1) / kBlockKeys;
#pragma omp parallel for schedule(dynamic)
  for (std::int64_t unit = 0; unit < shape.batch * shape.kv_heads * blocks; ++unit)
    score_block(in, range, unit / blocks, unit % blocks, scores);
}

}  // namespace cpu
}  // namespace attnscope::select
#endif  // HWY_ONCE
