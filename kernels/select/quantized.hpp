// SPDX-License-Identifier: Apache-2.0
// A small copy of K that only serves to score keys: some of its channels, in few bits. Twilight prunes by one of all
// channels in 4 bits (arXiv 2502.02770, App. B.1), Double Sparsity selects by one of few channels (arXiv 2408.07092).
#pragma once

#include <cstddef>
#include <cstdint>

#include "harness/base/attention.hpp"
#include "kernels/core/queue.hpp"
#include "kernels/core/selection.hpp"
#include "kernels/select/select.hpp"

namespace attnscope::select {

/// Every key has its own range, over the `channels` kept channels of one KV head. With levels = 2^bits − 1, in IEEE
/// single precision, every operation rounded to nearest even, and min, max over the key's channels (−0 taken as +0):
///   step = max(max − min, 1e-9) / levels,   code_c = min(round((k_c − min) / step), levels)   (round: ties to even),
/// and what is stored beside the codes is step and min rounded to half precision, so that k̂_c = step · code_c + min.
/// Keys beyond ±65504 have no half-precision min; their scores are not finite.
/// With 16 bits the channels are kept as they are, elements in the dtype of K, and there are no ranges.
struct QuantizedKeys {
  /// Half precision, as bits; together one 32-bit word.
  struct Range {
    std::uint16_t step = 0;
    std::uint16_t min = 0;
  };

  int bits = 4;               // 2, 4, 8 or 16
  std::int64_t channels = 0;  // kept of each key: channels · bits is 128, 256, 512, 1024 or 2048 (2-byte K at 16 bits)
  std::int64_t heads = 1;     // kv_heads, or q_heads where every query head keeps channels of its own
  const std::int32_t* channel = nullptr;  // [heads, channels], distinct within a head, any order; null: all, in order
  std::int64_t rows = 0;                  // key_rows(in)

  /// [heads / kv_heads, rows, row_bytes]: head h has plane h % (heads / kv_heads), and within it each key the row that
  /// it has in K (AttentionInputs::kv_rows), so that paging scatters this copy like K itself. Within a row channel n
  /// lies at bit n · bits, little-endian. 16-byte aligned.
  std::byte* codes = nullptr;
  Range* ranges = nullptr;  // [heads / kv_heads, rows]; null with 16 bits
};

/// Rows of K in memory, in use or not: what QuantizedKeys::rows must be.
std::int64_t key_rows(const AttentionInputs& in);

/// Bytes of one row of `codes`, and of both arrays as a whole.
std::int64_t row_bytes(const QuantizedKeys& keys, Dtype dtype);
std::size_t code_bytes(const QuantizedKeys& keys, const Shape& shape);
std::size_t range_bytes(const QuantizedKeys& keys, const Shape& shape);

/// Fills `keys.codes` and `keys.ranges` from K; rows of K that hold no key stay as they are.
/// Throws InputError when `bits`, `channels` or `heads` is none of the above.
void quantize_keys(const Queue& on, const AttentionInputs& in, const QuantizedKeys& keys);

/// Estimated logits of one decoding step (q_len = 1), s_j = scale · q · k̂_j over the kept channels, computed as
///   s_j = scale · (step_j · Σ_c q_c code_jc + min_j · Σ_c q_c)
/// with exact products accumulated in fp32. Row r = b · q_heads + h of `scores` gets one score per visible key;
/// length[r] is written too. The first form scores every visible key j at position j.
void quantized_scores(const Queue& on, const AttentionInputs& in, const QuantizedKeys& keys, const Scores& scores,
                      std::int32_t* length);
/// The second scores the candidates of the row: position n belongs to the n-th key of its list, which is that of the
/// query head or of its KV head. With pages as candidates the positions run through the keys of each page in turn; only
/// the last page of a sequence may be short. The stride must hold the longest list. Log weights do not count.
void quantized_scores(const Queue& on, const AttentionInputs& in, const QuantizedKeys& keys,
                      const TokenList& candidates, const Scores& scores, std::int32_t* length);

}  // namespace attnscope::select
