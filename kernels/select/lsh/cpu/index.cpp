// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>
#include <vector>

#include "harness/base/half.hpp"
#include "kernels/select/lsh/backends.hpp"
#include "kernels/select/lsh/collision.hpp"
#include "kernels/select/lsh/cpu/vectors.hpp"
#include "kernels/select/lsh/planes.hpp"
#include "kernels/select/lsh/projections.hpp"

namespace attnscope::select {
namespace {

constexpr std::int64_t kQueryTables = 16;   // of a unit of work, when queries are hashed
constexpr std::int64_t kWeighedKeys = 512;  // of a unit of work

/// Sorts codes[0 .. count) by counting: begin[buckets + 1], and for each bucket the numbers first + i of its codes.
void sort_table(const std::uint16_t* codes, std::int64_t count, std::int64_t first, std::int64_t buckets,
                std::int32_t* begin, std::int32_t* keys) {
  std::fill_n(begin, buckets + 1, 0);
  for (std::int64_t i = 0; i < count; ++i) ++begin[codes[i] + 1];
  std::partial_sum(begin, begin + buckets + 1, begin);
  std::vector<std::int32_t> next(begin, begin + buckets);
  for (std::int64_t i = 0; i < count; ++i) keys[next[codes[i]]++] = static_cast<std::int32_t>(first + i);
}

class CpuLshIndex final : public LshIndex {
 public:
  CpuLshIndex(const Queue& on, const AttentionInputs& in, const Lsh& lsh)
      : LshIndex(on, in, lsh),
        projections_(Space::host, (lsh.projections() + kProjectionPadding) * kProjectionStride * sizeof(float)),
        thresholds_(Space::host, (heads() + 1) * lsh.projections() * sizeof(float)),
        planes_(Space::host, 2 * rows() * Planes::words_of(in.shape.kv_len) * sizeof(std::uint32_t)) {
    projections_.zero();
    thresholds_.zero();
    centre_.zero();
    const std::vector<float> drawn = draw_projections(lsh, in.shape.head_dim);
    for (std::int64_t n = 0; n < lsh.projections(); ++n)
      std::copy_n(drawn.data() + n * in.shape.head_dim, in.shape.head_dim,
                  projections_.as<float>() + n * kProjectionStride);
  }

  void centre() override {
    if (!lsh_.centred) return;
    const std::int64_t dim = in_.shape.head_dim;
#pragma omp parallel for schedule(dynamic)
    for (std::int64_t head = 0; head < heads(); ++head) {
      const KvRows kv = kv_rows(head);
      std::vector<double> sum(dim);
      for (std::int64_t key = lsh_.indexed.begin; key < lsh_.indexed.end; ++key)
        for (std::int64_t c = 0; c < dim; ++c) sum[c] += load_element(in_.k, in_.shape.dtype, kv.row(key) * dim + c);
      float* centre = centre_.as<float>() + head * dim;
      for (std::int64_t c = 0; c < dim; ++c) centre[c] = static_cast<float>(sum[c] / static_cast<double>(lsh_.keys()));
      for (std::int64_t n = 0; n < lsh_.projections(); ++n) {
        const float* projection = projections_.as<float>() + n * kProjectionStride;
        thresholds_.as<float>()[head * lsh_.projections() + n] =
            std::inner_product(projection, projection + dim, centre, 0.0f);
      }
    }
  }

  void hash_keys(std::int64_t pass) override {
    const Heads heads = heads_of(pass);
    const std::int64_t blocks = (lsh_.keys() + kHashRows - 1) / kHashRows;
#pragma omp parallel for schedule(dynamic)
    for (std::int64_t unit = 0; unit < heads.count * blocks; ++unit) {
      const std::int64_t head = unit / blocks, first = unit % blocks * kHashRows;
      hash_vectors(keys_of(heads.first + head), lsh_.indexed.begin + first, std::min(kHashRows, lsh_.keys() - first),
                   projections(heads.first + head, 0, lsh_.tables),
                   codes_.as<std::uint16_t>() + head * lsh_.tables * lsh_.keys() + first, lsh_.keys());
    }
  }

  void sort_keys(std::int64_t pass) override {
    const Heads heads = heads_of(pass);
#pragma omp parallel for schedule(dynamic)
    for (std::int64_t n = 0; n < heads.count * lsh_.tables; ++n) {
      const std::int64_t table = heads.first * lsh_.tables + n;
      sort_table(codes_.as<std::uint16_t>() + n * lsh_.keys(), lsh_.keys(), lsh_.indexed.begin, lsh_.buckets(),
                 begin_.as<std::int32_t>() + table * (lsh_.buckets() + 1),
                 keys_.as<std::int32_t>() + table * lsh_.keys());
    }
  }

  void hash_queries() override {
    const Shape& shape = in_.shape;
    const VectorRows queries{in_.q, shape.dtype, shape.head_dim, KvRows::contiguous(0)};
    const std::int64_t parts = (lsh_.tables + kQueryTables - 1) / kQueryTables;
    const std::int64_t blocks = (rows() + kHashRows - 1) / kHashRows;
#pragma omp parallel for schedule(dynamic)
    for (std::int64_t unit = 0; unit < blocks * parts; ++unit) {
      const std::int64_t first = unit / parts * kHashRows, table = unit % parts * kQueryTables;
      // Queries have no centre: the thresholds after those of the last head are zero.
      hash_vectors(queries, first, std::min(kHashRows, rows() - first),
                   projections(heads(), table, std::min(lsh_.tables, table + kQueryTables)),
                   query_codes_.as<std::uint16_t>() + first, rows());
    }
  }

  void find_collisions() override {
    const Planes planes = this->planes();
#pragma omp parallel for schedule(dynamic)
    for (std::int64_t row = 0; row < rows(); ++row) {
      std::uint32_t* once = planes.once + row * planes.words;
      std::uint32_t* twice = planes.twice + row * planes.words;
      std::fill_n(once, planes.words, 0);
      std::fill_n(twice, planes.words, 0);
      for (std::int64_t table = 0; table < lsh_.tables; ++table) {
        const std::int64_t index = head_of(row) * lsh_.tables + table;
        const std::int32_t* begin = begin_.as<std::int32_t>() + index * (lsh_.buckets() + 1) +
                                    query_codes_.as<std::uint16_t>()[table * rows() + row];
        const std::int32_t* keys = keys_.as<std::int32_t>() + index * lsh_.keys();
        for (std::int32_t i = begin[0]; i < begin[1]; ++i) {
          const std::int32_t word = keys[i] / Planes::kWordBits;
          const std::uint32_t bit = 1u << keys[i] % Planes::kWordBits;
          twice[word] |= once[word] & bit;
          once[word] |= bit;
        }
      }
    }
  }

  void list(const Lists& lists) override {
    const Planes planes = this->planes();
#pragma omp parallel for schedule(dynamic)
    for (std::int64_t row = 0; row < rows(); ++row) {
      std::int32_t* indices = lists.indices + row * lists.capacity;
      std::int32_t count = 0;
      for (std::int64_t word = 0; word < planes.words; ++word)
        for (std::uint32_t bits = planes.twice[row * planes.words + word] | planes.always(word); bits != 0;
             bits &= bits - 1)
          indices[count++] = static_cast<std::int32_t>(word * Planes::kWordBits + std::countr_zero(bits));
      lists.count[row] = count;
    }
  }

  void weigh(const Lists& lists, float floor, float* log_weight) override {
    const std::int64_t dim = in_.shape.head_dim;
    const std::int64_t parts = (lists.capacity + kWeighedKeys - 1) / kWeighedKeys;
#pragma omp parallel for schedule(dynamic, 4)
    for (std::int64_t unit = 0; unit < rows() * parts; ++unit) {
      const std::int64_t row = unit / parts, first = unit % parts * kWeighedKeys;
      const std::int64_t count = std::min<std::int64_t>(kWeighedKeys, lists.count[row] - first);
      if (count <= 0) continue;
      float query[kProjectionStride];
      for (std::int64_t c = 0; c < dim; ++c) query[c] = load_element(in_.q, in_.shape.dtype, row * dim + c);
      const std::int32_t* keys = lists.indices + row * lists.capacity + first;
      float* weights = log_weight + row * lists.capacity + first;
      cosines(keys_of(head_of(row)), query, centre_.as<float>() + head_of(row) * dim, keys, count, weights);
      for (std::int64_t i = 0; i < count; ++i) {
        const bool indexed = keys[i] >= lsh_.indexed.begin && keys[i] < lsh_.indexed.end;
        weights[i] =
            indexed ? select::log_weight(weights[i], static_cast<int>(lsh_.bits), static_cast<int>(lsh_.tables), floor)
                    : 0.0f;
      }
    }
  }

 private:
  std::int64_t head_of(std::int64_t row) const { return row / in_.shape.group(); }
  KvRows kv_rows(std::int64_t head) const { return in_.kv_rows(head / in_.shape.kv_heads, head % in_.shape.kv_heads); }
  VectorRows keys_of(std::int64_t head) const { return {in_.k, in_.shape.dtype, in_.shape.head_dim, kv_rows(head)}; }
  Projections projections(std::int64_t head, std::int64_t begin, std::int64_t end) const {
    return {.data = projections_.as<float>(),
            .threshold = thresholds_.as<float>() + head * lsh_.projections(),
            .bits = lsh_.bits,
            .begin = begin,
            .end = end};
  }
  Planes planes() const {
    const std::int64_t words = Planes::words_of(in_.shape.kv_len);
    return {.once = planes_.as<std::uint32_t>(),
            .twice = planes_.as<std::uint32_t>() + rows() * words,
            .words = words,
            .kv_len = in_.shape.kv_len,
            .indexed = lsh_.indexed};
  }

  Buffer projections_;  // float [projections + padding, kProjectionStride]
  Buffer thresholds_;   // float [heads + 1, projections]: projection · centre, and zeros
  Buffer planes_;       // uint32 [2, rows, words]
};

}  // namespace

std::unique_ptr<LshIndex> make_lsh_index_cpu(const Queue& on, const AttentionInputs& in, const Lsh& lsh) {
  return std::make_unique<CpuLshIndex>(on, in, lsh);
}

}  // namespace attnscope::select
