// SPDX-License-Identifier: Apache-2.0
// Scores from quantised keys. Lanes are keys: a block of rows is laid out so that equal words of neighbouring keys are
// neighbours, each channel becomes a vector of codes by one shift, and no sum crosses lanes.
#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

#include "harness/base/half.hpp"
#include "kernels/select/engines.hpp"

// foreach_target.h compiles this file once per instruction set and comes before what it compiles.
// clang-format off
#include "kernels/core/simd_targets.hpp"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/select/cpu/quantized_scores.cpp"
#include <hwy/foreach_target.h>

#include "kernels/core/simd-inl.h"
// clang-format on

#ifndef ATTNSCOPE_KERNELS_SELECT_CPU_QUANTIZED_SCORES_
#define ATTNSCOPE_KERNELS_SELECT_CPU_QUANTIZED_SCORES_
namespace attnscope::select {

constexpr std::int64_t kKeys = 64;          // of a block: a multiple of any vector
constexpr std::int64_t kMaxRowWords = 128;  // 128 elements of f32

/// Words [word][key] of a block of keys (elements widened to float where the channels are kept as they are), and what
/// turns a sum of codes into a score.
struct KeyBlock {
  alignas(64) std::uint32_t words[kMaxRowWords * kKeys];
  alignas(64) float step[kKeys];
  alignas(64) float min[kKeys];
};

/// The query rows that read the same keys: q [rows, channels], Σ q [rows].
struct QueryRows {
  const float* q;
  const float* sums;
  std::int64_t rows;
  std::int64_t channels;
};

}  // namespace attnscope::select
#endif

HWY_BEFORE_NAMESPACE();
namespace attnscope::select {
namespace HWY_NAMESPACE {

using namespace attnscope::HWY_NAMESPACE;  // the vocabulary of this instruction set
using U32 = hn::RebindToUnsigned<F32>;

constexpr std::int64_t kVectors = kLanes < 32 ? 2 : 1;  // of keys at once: an element of q is broadcast once for both

// out[row · kKeys + key] for kRows query rows from `row0` and kVectors vectors of keys from `key`.
template <int kRows>
HWY_INLINE void score_vectors(const KeyBlock& block, const QueryRows& rows, std::int64_t row0, std::int64_t key,
                              int bits, float scale, float* HWY_RESTRICT out) {
  const F32 d;
  const U32 du;
  const hn::RebindToSigned<F32> di;
  VecF acc[kRows][kVectors];
  for (int r = 0; r < kRows; ++r)
    for (int v = 0; v < kVectors; ++v) acc[r][v] = hn::Zero(d);

  const std::int64_t per_word = bits == 16 ? 1 : 32 / bits;
  const auto mask = hn::Set(du, (1u << bits) - 1);
  const float* q = rows.q + row0 * rows.channels;
  for (std::int64_t c = 0; c < rows.channels; c += per_word) {
    const std::uint32_t* words = block.words + c / per_word * kKeys + key;
    hn::Vec<U32> left[kVectors];
    for (int v = 0; v < kVectors; ++v) left[v] = hn::Load(du, words + v * kLanes);
    for (std::int64_t i = 0; i < per_word; ++i) {
      VecF code[kVectors];
      for (int v = 0; v < kVectors; ++v) {
        if (bits == 16) {
          code[v] = hn::BitCast(d, left[v]);
        } else {
          code[v] = hn::ConvertTo(d, hn::BitCast(di, hn::And(left[v], mask)));
          left[v] = hn::ShiftRightSame(left[v], bits);
        }
      }
      for (int r = 0; r < kRows; ++r) {
        const VecF x = hn::Set(d, q[r * rows.channels + c + i]);
        for (int v = 0; v < kVectors; ++v) acc[r][v] = hn::MulAdd(x, code[v], acc[r][v]);
      }
    }
  }
  for (int r = 0; r < kRows; ++r)
    for (int v = 0; v < kVectors; ++v) {
      const std::int64_t at = key + v * kLanes;
      const VecF offset = hn::Mul(hn::Load(d, block.min + at), hn::Set(d, rows.sums[row0 + r]));
      const VecF score = hn::MulAdd(hn::Load(d, block.step + at), acc[r][v], offset);
      hn::StoreU(hn::Mul(score, hn::Set(d, scale)), d, out + (row0 + r) * kKeys + at);
    }
}

// out[row · kKeys + key] for every row and every key of the block.
void score_key_block(const KeyBlock& block, const QueryRows& rows, int bits, float scale, float* out) {
  for (std::int64_t key = 0; key < kKeys; key += kVectors * kLanes) {
    std::int64_t r = 0;
    for (; r + 4 <= rows.rows; r += 4) score_vectors<4>(block, rows, r, key, bits, scale, out);
    for (; r + 2 <= rows.rows; r += 2) score_vectors<2>(block, rows, r, key, bits, scale, out);
    if (r < rows.rows) score_vectors<1>(block, rows, r, key, bits, scale, out);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace attnscope::select
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace attnscope::select {

HWY_EXPORT(score_key_block);

namespace cpu {
namespace {

// What scoring reads of one plane of the copy.
struct Plane {
  const std::byte* codes;
  const QuantizedKeys::Range* ranges;
  std::int64_t bytes;  // of a row
  std::int64_t channels;
  int bits;
  Dtype dtype;

  Plane(const QuantizedKeys& keys, Dtype k_dtype, std::int64_t plane)
      : codes(keys.codes + plane * keys.rows * row_bytes(keys, k_dtype)),
        ranges(keys.ranges ? keys.ranges + plane * keys.rows : nullptr),
        bytes(row_bytes(keys, k_dtype)),
        channels(keys.channels),
        bits(keys.bits),
        dtype(k_dtype) {}

  void load(std::int64_t row, std::int64_t slot, KeyBlock& block) const {
    if (bits == 16) {
      for (std::int64_t c = 0; c < channels; ++c)
        block.words[c * kKeys + slot] = std::bit_cast<std::uint32_t>(load_element(codes + row * bytes, dtype, c));
      block.step[slot] = 1.0f;
      block.min[slot] = 0.0f;
      return;
    }
    for (std::int64_t w = 0; w < bytes / 4; ++w)
      std::memcpy(&block.words[w * kKeys + slot], codes + row * bytes + w * 4, 4);
    block.step[slot] = f16_to_float(ranges[row].step);
    block.min[slot] = f16_to_float(ranges[row].min);
  }
};

// The kept channels of every query row, and their sums.
struct Queries {
  std::vector<float> q, sums;

  Queries(const AttentionInputs& in, const QuantizedKeys& keys) {
    const Shape& shape = in.shape;
    for (std::int64_t r = 0; r < shape.rows(); ++r) {
      const std::int64_t head = r % shape.q_heads / (shape.q_heads / keys.heads);
      double sum = 0;
      for (std::int64_t c = 0; c < keys.channels; ++c) {
        const std::int64_t channel = keys.channel ? keys.channel[head * keys.channels + c] : c;
        q.push_back(load_element(in.q, shape.dtype, r * shape.head_dim + channel));
        sum += static_cast<double>(q.back());
      }
      sums.push_back(static_cast<float>(sum));
    }
  }
};

}  // namespace

void quantized_scores(const AttentionInputs& in, const QuantizedKeys& keys, const CandidateLists& candidates,
                      const Scores& scores, std::int32_t* length) {
  constexpr std::int64_t kUnitKeys = 16 * kKeys;
  const Shape& shape = in.shape;
  const Queries queries(in, keys);
  // A stream is what reads the same rows of codes: the heads of a group, or one of them.
  const std::int64_t heads = std::max(keys.heads, candidates.heads()), share = shape.q_heads / heads;
  const std::int64_t per_kv = heads / shape.kv_heads;
  const std::int64_t units = (scores.stride + kUnitKeys - 1) / kUnitKeys;
#pragma omp parallel for schedule(dynamic)
  for (std::int64_t unit = 0; unit < shape.batch * heads * units; ++unit) {
    const std::int64_t stream = unit / units, b = stream / heads, head = stream % heads;
    const CandidateKeys list = candidates.of(b, head / (heads / candidates.heads()));
    const KvRows k_rows = in.kv_rows(b, head / per_kv);
    const Plane plane(keys, shape.dtype, keys.heads == shape.kv_heads ? 0 : head % per_kv);
    const std::int64_t row0 = stream * share, first_unit = unit % units;
    if (first_unit == 0) std::fill_n(length + row0, share, static_cast<std::int32_t>(list.size));

    const QueryRows rows{queries.q.data() + row0 * keys.channels, queries.sums.data() + row0, share, keys.channels};
    KeyBlock block;
    std::vector<float> out(static_cast<std::size_t>(share * kKeys));
    const std::int64_t end = std::min(list.size, (first_unit + 1) * kUnitKeys);
    for (std::int64_t first = first_unit * kUnitKeys; first < end; first += kKeys) {
      const std::int64_t count = std::min(kKeys, end - first);
      for (std::int64_t i = 0; i < kKeys; ++i)
        plane.load(k_rows.row(list.key(first + std::min(i, count - 1))), i, block);
      HWY_DYNAMIC_DISPATCH(score_key_block)(block, rows, keys.bits, in.scale, out.data());
      for (std::int64_t r = 0; r < share; ++r)
        std::copy_n(out.begin() + r * kKeys, count, scores.data + (row0 + r) * scores.stride + first);
    }
  }
}

}  // namespace cpu
}  // namespace attnscope::select
#endif  // HWY_ONCE
