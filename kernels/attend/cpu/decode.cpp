// SPDX-License-Identifier: Apache-2.0
#include "kernels/attend/cpu/decode.hpp"

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <span>

#include "kernels/attend/cpu/finish.hpp"
#include "kernels/attend/cpu/gather.hpp"

namespace attnscope::attend {
namespace {

// Lists are split until there are about kParts parts in all, each of at least kMinPartKeys keys. The split depends on
// the lists alone, so the result does not depend on the number of threads.
constexpr std::int64_t kParts = 256;
constexpr std::int64_t kMinPartKeys = 512;

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// A source of keys numbers the keys of each list from 0 to length(list); fill(list, first, count, keys) writes the
// visible ones among numbers [first, first + count) and returns how many they are.

class BandKeysOf {
 public:
  BandKeysOf(const Shape& shape, const Band& band) : shape_(shape), band_(band) {}

  std::int64_t heads() const { return shape_.kv_heads; }

  std::int64_t length(std::int64_t list) const {
    const BandKeys keys = of(list);
    return keys.sink.end + std::max<std::int64_t>(0, keys.window.end - keys.window.begin);
  }

  std::int64_t fill(std::int64_t list, std::int64_t first, std::int64_t count, std::int32_t* out) const {
    const BandKeys keys = of(list);
    count = std::min(count, length(list) - first);
    const std::int64_t in_sink = std::clamp<std::int64_t>(keys.sink.end - first, 0, count);
    std::iota(out, out + in_sink, static_cast<std::int32_t>(first));
    std::iota(out + in_sink, out + count,
              static_cast<std::int32_t>(keys.window.begin + first + in_sink - keys.sink.end));
    return count;
  }

 private:
  BandKeys of(std::int64_t list) const { return band_keys(band_, shape_, list % shape_.q_len); }

  const Shape& shape_;
  const Band& band_;
};

class TokenKeysOf {
 public:
  TokenKeysOf(const Shape& shape, const TokenList& list) : shape_(shape), list_(list) {}

  std::int64_t heads() const { return list_.heads; }
  std::int64_t length(std::int64_t list) const { return list_.count[list] * list_.page; }

  std::int64_t fill(std::int64_t list, std::int64_t first, std::int64_t count, std::int32_t* out) const {
    const std::int32_t* pages = list_.indices.data() + list_.begin[list];
    const std::int64_t visible = shape_.visible(list % shape_.q_len);
    std::int64_t written = 0;
    for (std::int64_t n = first; n < std::min(first + count, length(list));) {
      const std::int64_t in_page = n % list_.page, run = std::min(list_.page - in_page, first + count - n);
      const std::int64_t key = pages[n / list_.page] * list_.page + in_page;
      const std::int64_t kept = std::clamp<std::int64_t>(visible - key, 0, run);
      std::iota(out + written, out + written + kept, static_cast<std::int32_t>(key));
      written += kept;
      n += run;
    }
    return written;
  }

 private:
  const Shape& shape_;
  const TokenList& list_;
};

// The workspace is an array of slots, one per part, or one per thread where no list is split.
struct Slots {
  float* base;
  std::int64_t rows;  // query heads that share a list
  std::int64_t head_dim;

  static std::int64_t floats(std::int64_t rows, std::int64_t head_dim) {
    return rows * (2 * head_dim + kGatherKeys) + 2 * ceil_div(rows, 16) * 16;  // every array starts on a cache line
  }

  GatherRows operator[](std::int64_t slot) const {
    GatherRows state;
    state.rows = rows;
    state.q = base + slot * floats(rows, head_dim);
    state.o = state.q + rows * head_dim;
    state.weights = state.o + rows * head_dim;
    state.max = state.weights + rows * kGatherKeys;
    state.sum = state.max + ceil_div(rows, 16) * 16;
    return state;
  }
};

// Which rows of q, o and lse a list serves (heads of a group lie q_len rows apart), and which KV head it reads.
struct ListRows {
  const Shape& shape;
  std::int64_t heads;

  std::int64_t row(std::int64_t list, std::int64_t head) const {
    return (list / shape.q_len * (shape.q_heads / heads) + head) * shape.q_len + list % shape.q_len;
  }
  std::int64_t kv_head(std::int64_t list) const { return list / shape.q_len / (heads / shape.kv_heads); }
};

template <typename Source>
void attend_part(const AttentionInputs& in, const Source& source, std::int64_t list, std::int64_t first,
                 std::int64_t end, std::int64_t kv_head, const GatherRows& state) {
  const Shape& shape = in.shape;
  const std::int64_t offset = kv_head * shape.kv_len * shape.head_dim * size_of(shape.dtype);
  const auto* k = static_cast<const std::byte*>(in.k) + offset;
  const auto* v = static_cast<const std::byte*>(in.v) + offset;
  std::int32_t blocks[2][kGatherKeys];
  const auto fill = [&](std::int64_t at, int which) -> std::span<const std::int32_t> {
    if (at >= end) return {};
    return {blocks[which],
            static_cast<std::size_t>(source.fill(list, at, std::min(kGatherKeys, end - at), blocks[which]))};
  };
  auto keys = fill(first, 0);
  for (int which = 1; first < end; first += kGatherKeys, which ^= 1) {
    const auto next = fill(first + kGatherKeys, which);
    if (!keys.empty()) attend_keys(k, v, shape.dtype, shape.head_dim, keys, next, state);
    keys = next;
  }
}

// Adds the parts of one list together in the first, each weighted by 2^(its max − the largest).
void merge_parts(const Slots& slots, std::int64_t first_slot, std::int64_t parts) {
  const GatherRows total = slots[first_slot];
  for (std::int64_t r = 0; r < slots.rows; ++r) {
    float max = -std::numeric_limits<float>::infinity();
    for (std::int64_t p = 0; p < parts; ++p) max = std::max(max, slots[first_slot + p].max[r]);
    if (max == -std::numeric_limits<float>::infinity()) continue;
    for (std::int64_t p = 0; p < parts; ++p) {
      const GatherRows part = slots[first_slot + p];
      const float weight = std::exp2(part.max[r] - max);
      total.sum[r] = (p == 0 ? 0.0f : total.sum[r]) + weight * part.sum[r];
      for (std::int64_t c = r * slots.head_dim; c < (r + 1) * slots.head_dim; ++c)
        total.o[c] = (p == 0 ? 0.0f : total.o[c]) + weight * part.o[c];
    }
    total.max[r] = max;
  }
}

template <typename Source>
void run(const AttentionInputs& in, const Source& source, const AttentionOutputs& out, void* workspace) {
  const Shape& shape = in.shape;
  const ListRows lists{shape, source.heads()};
  const std::int64_t count = shape.batch * source.heads() * shape.q_len;
  std::int64_t longest = 0;
  for (std::int64_t list = 0; list < count; ++list) longest = std::max(longest, source.length(list));
  const std::int64_t wanted = std::clamp<std::int64_t>(ceil_div(longest, kMinPartKeys), 1, ceil_div(kParts, count));
  const std::int64_t part_keys = std::max(kGatherKeys, ceil_div(ceil_div(longest, wanted), kGatherKeys) * kGatherKeys);
  const std::int64_t parts = std::max<std::int64_t>(1, ceil_div(longest, part_keys));

  const Slots slots{static_cast<float*>(workspace), shape.q_heads / source.heads(), shape.head_dim};
  const auto finish = [&](std::int64_t list, const GatherRows& state) {
    restore_order(shape.dtype, shape.head_dim, state);
    for (std::int64_t r = 0; r < slots.rows; ++r)
      finish_row(shape, lists.row(list, r), state.o + r * shape.head_dim, state.max[r], state.sum[r], out);
  };
#pragma omp parallel
  {
#pragma omp for schedule(dynamic)
    for (std::int64_t unit = 0; unit < count * parts; ++unit) {
      const std::int64_t list = unit / parts, first = unit % parts * part_keys;
      const GatherRows state = slots[parts > 1 ? unit : omp_get_thread_num()];
      load_rows(in, lists.row(list, 0), shape.q_len, state);
      attend_part(in, source, list, first, std::min(first + part_keys, source.length(list)), lists.kv_head(list),
                  state);
      if (parts == 1) finish(list, state);
    }
#pragma omp for schedule(static)
    for (std::int64_t list = 0; list < (parts > 1 ? count : 0); ++list) {
      merge_parts(slots, list * parts, parts);
      finish(list, slots[list * parts]);
    }
  }
}

}  // namespace

void decode(const AttentionInputs& in, const Band& band, const AttentionOutputs& out, void* workspace) {
  run(in, BandKeysOf(in.shape, band), out, workspace);
}

void decode(const AttentionInputs& in, const TokenList& list, const AttentionOutputs& out, void* workspace) {
  run(in, TokenKeysOf(in.shape, list), out, workspace);
}

std::size_t decode_workspace(const Shape& shape, std::int64_t heads) {
  // A split has at most ceil(kParts / lists) · lists < 2 · kParts parts.
  const std::int64_t slots = std::max<std::int64_t>(2 * kParts, omp_get_max_threads());
  return static_cast<std::size_t>(slots * Slots::floats(shape.q_heads / heads, shape.head_dim)) * sizeof(float);
}

}  // namespace attnscope::attend
