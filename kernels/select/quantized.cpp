// SPDX-License-Identifier: Apache-2.0
#include "kernels/select/quantized.hpp"

#include <fmt/format.h>

#include <bit>

#include "harness/base/error.hpp"
#include "kernels/select/engines.hpp"

namespace attnscope::select {
namespace {

void check(const QuantizedKeys& keys, const AttentionInputs& in) {
  const Shape& shape = in.shape;
  if (keys.bits != 2 && keys.bits != 4 && keys.bits != 8 && keys.bits != 16)
    throw InputError(fmt::format("quantized keys: expected 2, 4, 8 or 16 bits, found {}", keys.bits));
  const std::int64_t row_bits = keys.channels * keys.bits;
  if (row_bits < 128 || row_bits > 2048 || !std::has_single_bit(static_cast<std::uint64_t>(row_bits)))
    throw InputError(
        fmt::format("quantized keys: expected channels · bits of 128, 256, 512, 1024 or 2048, found {} · {}",
                    keys.channels, keys.bits));
  if (keys.channels > shape.head_dim || (keys.channel == nullptr && keys.channels != shape.head_dim))
    throw InputError(fmt::format("quantized keys: expected {} channels, or a list of fewer, found {}{}", shape.head_dim,
                                 keys.channels, keys.channel == nullptr ? " and no list" : ""));
  if (keys.heads != shape.kv_heads && keys.heads != shape.q_heads)
    throw InputError(
        fmt::format("quantized keys: expected {} or {} heads, found {}", shape.kv_heads, shape.q_heads, keys.heads));
  if (keys.rows != key_rows(in))
    throw InputError(fmt::format("quantized keys: expected the {} rows of K, found {}", key_rows(in), keys.rows));
}

void score(const Queue& on, const AttentionInputs& in, const QuantizedKeys& keys, const CandidateLists& candidates,
           const Scores& scores, std::int32_t* length) {
  check(keys, in);
  if (in.shape.q_len != 1)
    throw InputError(fmt::format("quantized scores: expected one query, found {}", in.shape.q_len));
  if (on.backend == Backend::cpu) return cpu::quantized_scores(in, keys, candidates, scores, length);
#if ATTNSCOPE_CUDA
  cuda::quantized_scores(in, keys, candidates, scores, length, on.stream);
#else
  refuse_cuda();
#endif
}

}  // namespace

std::int64_t key_rows(const AttentionInputs& in) {
  const Shape& shape = in.shape;
  const std::int64_t per_sequence = in.page_table == nullptr ? shape.kv_len : shape.cache_pages() * shape.cache_page;
  return shape.batch * shape.kv_heads * per_sequence;
}

std::int64_t row_bytes(const QuantizedKeys& keys, Dtype dtype) {
  return keys.bits == 16 ? keys.channels * size_of(dtype) : keys.channels * keys.bits / 8;
}

std::size_t code_bytes(const QuantizedKeys& keys, const Shape& shape) {
  return static_cast<std::size_t>(keys.heads / shape.kv_heads * keys.rows * row_bytes(keys, shape.dtype));
}

std::size_t range_bytes(const QuantizedKeys& keys, const Shape& shape) {
  if (keys.bits == 16) return 0;
  return static_cast<std::size_t>(keys.heads / shape.kv_heads * keys.rows) * sizeof(QuantizedKeys::Range);
}

void quantize_keys(const Queue& on, const AttentionInputs& in, const QuantizedKeys& keys) {
  check(keys, in);
  if (on.backend == Backend::cpu) return cpu::quantize_keys(in, keys);
#if ATTNSCOPE_CUDA
  cuda::quantize_keys(in, keys, on.stream);
#else
  refuse_cuda();
#endif
}

void quantized_scores(const Queue& on, const AttentionInputs& in, const QuantizedKeys& keys, const Scores& scores,
                      std::int32_t* length) {
  score(on, in, keys, CandidateLists(in.shape, nullptr), scores, length);
}

void quantized_scores(const Queue& on, const AttentionInputs& in, const QuantizedKeys& keys,
                      const TokenList& candidates, const Scores& scores, std::int32_t* length) {
  score(on, in, keys, CandidateLists(in.shape, &candidates), scores, length);
}

}  // namespace attnscope::select
