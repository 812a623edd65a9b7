// SPDX-License-Identifier: Apache-2.0
#include "kernels/attend/cpu/prefill.hpp"

#include <algorithm>
#include <cstddef>

#include "harness/base/error.hpp"
#include "kernels/attend/cpu/tile.hpp"

namespace attnscope::attend {
namespace {

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// A plan cuts the rows of one KV head into query tiles and names the segments of keys that a tile walks:
//   tiles()                       how many query tiles
//   rows(tile, emit)              emit(query head within the group, query index), at most kTileRows times
//   segments(tile, emit)          emit(segment of keys, function from query index to the keys it attends there)
// Later tiles never have less work under a causal mask, so tiles are handed out from the last to the first.

// All heads of a group attend the same keys, so a tile takes its rows across the group: queries outer, heads inner.
class BandPlan {
 public:
  BandPlan(const Shape& shape, const Band& band) : shape_(shape), band_(band) {}

  std::int64_t tiles() const { return ceil_div(shape_.q_len * shape_.group(), kTileRows); }

  template <typename Emit>
  void rows(std::int64_t tile, Emit emit) const {
    const std::int64_t end = std::min((tile + 1) * kTileRows, shape_.q_len * shape_.group());
    for (std::int64_t r = tile * kTileRows; r < end; ++r) emit(r % shape_.group(), r / shape_.group());
  }

  template <typename Emit>
  void segments(std::int64_t tile, Emit emit) const {
    const std::int64_t last_row = std::min((tile + 1) * kTileRows, shape_.q_len * shape_.group()) - 1;
    // Both ends of both ranges grow with the query index.
    const BandKeys first = keys(tile * kTileRows / shape_.group()), last = keys(last_row / shape_.group());
    emit(KeyRange{0, last.sink.end}, [this](std::int64_t i) { return keys(i).sink; });
    emit(KeyRange{first.window.begin, last.window.end}, [this](std::int64_t i) { return keys(i).window; });
  }

 private:
  BandKeys keys(std::int64_t i) const { return band_keys(band_, shape_, i); }

  const Shape& shape_;
  const Band& band_;
};

// Every head has its own lists, so a tile stays within one query block of one head.
class BlockPlan {
 public:
  BlockPlan(const Shape& shape, const BlockList& list, std::int64_t first_head)
      : shape_(shape), list_(list), first_head_(first_head) {}

  std::int64_t tiles() const { return query_blocks() * tiles_per_block() * shape_.group(); }

  template <typename Emit>
  void rows(std::int64_t tile, Emit emit) const {
    const KeyRange queries = queries_of(tile);
    for (std::int64_t i = queries.begin; i < queries.end; ++i) emit(tile % shape_.group(), i);
  }

  template <typename Emit>
  void segments(std::int64_t tile, Emit emit) const {
    const KeyRange queries = queries_of(tile);
    if (queries.begin >= queries.end) return;
    const std::int64_t visible = shape_.visible(queries.end - 1);
    const std::int64_t at = (first_head_ + tile % shape_.group()) * query_blocks() + block_of(tile);
    for (std::int64_t n = list_.begin[at]; n < list_.begin[at + 1];) {
      // Adjacent blocks make one segment.
      std::int64_t run = n + 1;
      while (run < list_.begin[at + 1] && list_.indices[run] == list_.indices[run - 1] + 1) ++run;
      const std::int64_t begin = list_.indices[n] * list_.block_k, end = (list_.indices[run - 1] + 1) * list_.block_k;
      emit(KeyRange{begin, std::min(end, visible)}, [=, this](std::int64_t i) {
        return KeyRange{begin, std::min(end, shape_.visible(i))};
      });
      n = run;
    }
  }

 private:
  std::int64_t query_blocks() const { return ceil_div(shape_.q_len, list_.block_q); }
  std::int64_t tiles_per_block() const { return ceil_div(list_.block_q, kTileRows); }
  std::int64_t block_of(std::int64_t tile) const { return tile / shape_.group() / tiles_per_block(); }

  KeyRange queries_of(std::int64_t tile) const {
    const std::int64_t block = block_of(tile), part = tile / shape_.group() % tiles_per_block();
    const std::int64_t begin = block * list_.block_q + part * kTileRows;
    return {begin, std::min({begin + kTileRows, (block + 1) * list_.block_q, shape_.q_len})};
  }

  const Shape& shape_;
  const BlockList& list_;
  std::int64_t first_head_;
};

// What the threads share while they work on one KV head.
struct PackedHead {
  float* tiles;           // [tiles of keys][packed_tile_floats(head_dim)]
  unsigned char* wanted;  // [tiles of keys] 1 where some query tile walks the tile of keys
};

template <typename Plan>
void mark_wanted(const Plan& plan, std::int64_t key_tiles, PackedHead packed) {
  std::fill_n(packed.wanted, key_tiles, 0);
  for (std::int64_t t = 0; t < plan.tiles(); ++t)
    plan.segments(t, [&](KeyRange segment, const auto&) {
      if (segment.begin < segment.end)
        std::fill(packed.wanted + segment.begin / kTileKeys, packed.wanted + ceil_div(segment.end, kTileKeys), 1);
    });
}

template <typename Plan>
void attend_rows(const AttentionInputs& in, const Plan& plan, std::int64_t t, std::int64_t first_head,
                 PackedHead packed, const AttentionOutputs& out) {
  const Shape& shape = in.shape;
  QueryTile tile;
  std::int64_t query[kTileRows];
  tile.rows = 0;
  plan.rows(t, [&](std::int64_t head, std::int64_t i) {
    query[tile.rows] = i;
    tile.row[tile.rows++] = (first_head + head) * shape.q_len + i;
  });
  load_rows(in, tile);
  plan.segments(t, [&](KeyRange segment, const auto& keys_of) {
    for (std::int64_t r = 0; r < tile.rows; ++r) tile.keys[r] = keys_of(query[r]);
    for (std::int64_t first = segment.begin; first < segment.end;) {
      const std::int64_t n = first / kTileKeys, end = std::min((n + 1) * kTileKeys, segment.end);
      attend_tile(packed.tiles + n * packed_tile_floats(shape.head_dim), n * kTileKeys, first, end, shape.head_dim,
                  tile);
      first = end;
    }
  });
  store_rows(tile, shape, out);
}

// make_plan(first query head of the KV head) gives the head's plan.
template <typename MakePlan>
void run(const AttentionInputs& in, const MakePlan& make_plan, const AttentionOutputs& out, void* workspace) {
  if (in.page_table) throw InputError("attend::cpu: expected a contiguous cache for BlockList, found a paged one");
  const Shape& shape = in.shape;
  const std::int64_t key_tiles = ceil_div(shape.kv_len, kTileKeys);
  const std::int64_t row_bytes = shape.head_dim * size_of(shape.dtype);
  const std::int64_t tile_floats = packed_tile_floats(shape.head_dim);
  auto* const floats = static_cast<float*>(workspace);
  const PackedHead packed{floats, reinterpret_cast<unsigned char*>(floats + key_tiles * tile_floats)};

  for (std::int64_t kv_head = 0; kv_head < shape.batch * shape.kv_heads; ++kv_head) {
    const std::int64_t first_head = kv_head * shape.group();
    const auto plan = make_plan(first_head);
    mark_wanted(plan, key_tiles, packed);
    const auto* k = static_cast<const std::byte*>(in.k) + kv_head * shape.kv_len * row_bytes;
    const auto* v = static_cast<const std::byte*>(in.v) + kv_head * shape.kv_len * row_bytes;
#pragma omp parallel
    {
#pragma omp for schedule(static)
      for (std::int64_t n = 0; n < key_tiles; ++n)
        if (packed.wanted[n]) {
          const std::int64_t first = n * kTileKeys, count = std::min(kTileKeys, shape.kv_len - first);
          pack_tile(k + first * row_bytes, v + first * row_bytes, shape.dtype, count, shape.head_dim,
                    packed.tiles + n * tile_floats);
        }
#pragma omp for schedule(dynamic)
      for (std::int64_t t = plan.tiles() - 1; t >= 0; --t) attend_rows(in, plan, t, first_head, packed, out);
    }
  }
}

}  // namespace

void prefill(const AttentionInputs& in, const Band& band, const AttentionOutputs& out, void* workspace) {
  run(
      in, [&](std::int64_t) { return BandPlan(in.shape, band); }, out, workspace);
}

void prefill(const AttentionInputs& in, const BlockList& list, const AttentionOutputs& out, void* workspace) {
  run(
      in, [&](std::int64_t first_head) { return BlockPlan(in.shape, list, first_head); }, out, workspace);
}

std::size_t prefill_workspace(const Shape& shape) {
  const std::int64_t key_tiles = ceil_div(shape.kv_len, kTileKeys);
  return static_cast<std::size_t>(key_tiles) * (packed_tile_floats(shape.head_dim) * sizeof(float) + 1);
}

}  // namespace attnscope::attend
