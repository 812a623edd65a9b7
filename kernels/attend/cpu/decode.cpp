// SPDX-License-Identifier: Apache-2.0
#include "kernels/attend/cpu/decode.hpp"

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

// Lists are cut into parts of one size, a kParts-th of the keys of all lists and at least kMinPartKeys, so that a long
// list among short ones is worked on by many threads. The size depends on the lists alone, so the result does not
// depend on the number of threads.
constexpr std::int64_t kParts = 256;
constexpr std::int64_t kMinPartKeys = 512;

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// A source of keys numbers the keys of each list from 0 to length(list); fill(list, first, count, keys) writes the
// visible ones among numbers [first, first + count) and returns how many they are. log_weights(list, first, count) are
// those of the first `count` from number `first` on, or none.

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

  std::span<const float> log_weights(std::int64_t, std::int64_t, std::size_t) const { return {}; }

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

  // Entries are single keys and ascend, so the visible ones are the first.
  std::span<const float> log_weights(std::int64_t list, std::int64_t first, std::size_t count) const {
    if (list_.log_weight.empty()) return {};
    return list_.log_weight.subspan(static_cast<std::size_t>(list_.begin[list] + first), count);
  }

 private:
  const Shape& shape_;
  const TokenList& list_;
};

// Slots for the state of parts: one per part.
struct Slots {
  float* base;
  std::int64_t rows;  // query heads that share a list
  std::int64_t head_dim;

  // Every array starts on a cache line.
  std::int64_t floats() const { return rows * (2 * head_dim + kGatherKeys) + 2 * ceil_div(rows, 16) * 16; }

  GatherRows operator[](std::int64_t slot) const {
    GatherRows state;
    state.rows = rows;
    state.q = base + slot * floats();
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
  KvRows kv_rows(const AttentionInputs& in, std::int64_t list) const {
    const std::int64_t head = list / shape.q_len;
    return in.kv_rows(head / heads, head % heads / (heads / shape.kv_heads));
  }
};

// A block of keys on its way: their numbers are resolved while the block before is worked on.
struct Block {
  std::int32_t keys[kGatherKeys];
  std::int64_t rows[kGatherKeys];
  GatherKeys gather;

  template <typename Source>
  void fill(const Source& source, std::int64_t list, std::int64_t first, std::int64_t end, const KvRows& kv_rows) {
    const std::int64_t wanted = std::clamp<std::int64_t>(end - first, 0, kGatherKeys);
    const auto count = wanted > 0 ? static_cast<std::size_t>(source.fill(list, first, wanted, keys)) : std::size_t{0};
    for (std::size_t n = 0; n < count; ++n) rows[n] = kv_rows.row(keys[n]);
    gather = {{rows, count}, source.log_weights(list, first, count)};
  }
};

template <typename Source>
void attend_part(const AttentionInputs& in, const Source& source, std::int64_t list, std::int64_t first,
                 std::int64_t end, const KvRows& kv_rows, const GatherRows& state) {
  Block blocks[2];
  blocks[0].fill(source, list, first, end, kv_rows);
  for (int at = 0; first < end; first += kGatherKeys, at ^= 1) {
    blocks[at ^ 1].fill(source, list, first + kGatherKeys, end, kv_rows);
    if (!blocks[at].gather.rows.empty()) attend_keys(in, blocks[at].gather, blocks[at ^ 1].gather.rows, state);
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

// The parts of all lists, end to end: list l has parts first_part[l] .. first_part[l + 1], one at least.
struct Parts {
  std::int64_t lists;
  std::int64_t* first_part;  // [lists + 1]
  std::int64_t keys = 0;     // per part

  template <typename Source>
  void cut(const Source& source) {
    std::int64_t total = 0;
    for (std::int64_t list = 0; list < lists; ++list) total += source.length(list);
    keys = std::max(kMinPartKeys, ceil_div(ceil_div(total, kParts), kGatherKeys) * kGatherKeys);
    first_part[0] = 0;
    for (std::int64_t list = 0; list < lists; ++list)
      first_part[list + 1] = first_part[list] + std::max<std::int64_t>(1, ceil_div(source.length(list), keys));
  }

  std::int64_t count() const { return first_part[lists]; }
  std::int64_t of(std::int64_t list) const { return first_part[list + 1] - first_part[list]; }
  std::int64_t list(std::int64_t part) const {
    return std::upper_bound(first_part, first_part + lists + 1, part) - first_part - 1;
  }
  // Every list adds at most one part that isn't full.
  static std::int64_t most(std::int64_t lists) { return kParts + lists; }
};

template <typename Source>
void run(const AttentionInputs& in, const Source& source, const AttentionOutputs& out, void* workspace) {
  const Shape& shape = in.shape;
  const ListRows lists{shape, source.heads()};
  const std::int64_t count = shape.batch * source.heads() * shape.q_len;
  const Slots slots{static_cast<float*>(workspace), shape.q_heads / source.heads(), shape.head_dim};
  Parts parts{count, reinterpret_cast<std::int64_t*>(slots.base + Parts::most(count) * slots.floats())};
  parts.cut(source);
  const auto finish = [&](std::int64_t list, const GatherRows& state) {
    restore_order(shape.dtype, shape.head_dim, state);
    for (std::int64_t r = 0; r < slots.rows; ++r)
      finish_row(shape, lists.row(list, r), state.o + r * shape.head_dim, state.max[r], state.sum[r], out);
  };
#pragma omp parallel
  {
#pragma omp for schedule(dynamic)
    for (std::int64_t part = 0; part < parts.count(); ++part) {
      const std::int64_t list = parts.list(part), first = (part - parts.first_part[list]) * parts.keys;
      const GatherRows state = slots[part];
      load_rows(in, lists.row(list, 0), shape.q_len, state);
      attend_part(in, source, list, first, std::min(first + parts.keys, source.length(list)), lists.kv_rows(in, list),
                  state);
      if (parts.of(list) == 1) finish(list, state);
    }
#pragma omp for schedule(static)
    for (std::int64_t list = 0; list < count; ++list) {
      if (parts.of(list) == 1) continue;
      merge_parts(slots, parts.first_part[list], parts.of(list));
      finish(list, slots[parts.first_part[list]]);
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
  const std::int64_t lists = shape.batch * heads * shape.q_len;
  const Slots slots{nullptr, shape.q_heads / heads, shape.head_dim};
  return static_cast<std::size_t>(Parts::most(lists) * slots.floats()) * sizeof(float) +
         static_cast<std::size_t>(lists + 1) * sizeof(std::int64_t);
}

}  // namespace attnscope::attend
