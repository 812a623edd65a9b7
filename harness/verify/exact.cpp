// SPDX-License-Identifier: Apache-2.0
#include "harness/verify/exact.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

#include "harness/base/half.hpp"
#include "harness/base/parallel.hpp"
#include "harness/verify/row_kernel.hpp"

namespace attnscope {
namespace {

// Sizes of one unit of work; constants, so that the order of additions does not depend on the number of threads.
constexpr std::int64_t kRowsPerItem = 32;
constexpr std::int64_t kKeysPerItem = 16384;

const void* element(const void* tensor, Dtype dtype, std::int64_t index) {
  return static_cast<const std::byte*>(tensor) + index * size_of(dtype);
}

std::int64_t kv_offset(const Shape& shape, const Row& row) {
  return (row.batch * shape.kv_heads + row.head / shape.group()) * shape.kv_len * shape.head_dim;
}

std::vector<double> scaled_query(const AttentionInputs& in, const Row& row) {
  const Shape& shape = in.shape;
  const std::int64_t offset = ((row.batch * shape.q_heads + row.head) * shape.q_len + row.query) * shape.head_dim;
  std::vector<double> q(padded_dim(shape.head_dim));
  for (std::int64_t c = 0; c < shape.head_dim; ++c)
    q[c] = static_cast<double>(in.scale) * load_element(in.q, shape.dtype, offset + c);
  return q;
}

/// Rows of one (batch, KV head) and a run of keys, for one thread.
struct Item {
  std::vector<std::size_t> rows;  // indices into the caller's rows
  std::int64_t first = 0;
  std::int64_t last = 0;
};

/// Attention of `rows` over entries [0, limit[r]) of `list`, or of all keys when `list` is null.
AttentionRows attend(const AttentionInputs& in, std::span<const Row> rows, std::span<const std::int64_t> limit,
                     const std::int32_t* list, int threads) {
  const Shape& shape = in.shape;
  std::vector<std::vector<double>> queries;
  for (const Row& row : rows) queries.push_back(scaled_query(in, row));

  std::map<std::int64_t, std::vector<std::size_t>> by_kv_head;
  for (std::size_t r = 0; r < rows.size(); ++r) by_kv_head[kv_offset(shape, rows[r])].push_back(r);
  std::vector<Item> items;
  for (const auto& [offset, members] : by_kv_head)
    for (std::size_t begin = 0; begin < members.size(); begin += kRowsPerItem) {
      const std::size_t end = std::min(members.size(), begin + kRowsPerItem);
      const std::vector<std::size_t> some(members.begin() + begin, members.begin() + end);
      const std::int64_t keys = limit[*std::ranges::max_element(some, {}, [&](std::size_t r) { return limit[r]; })];
      for (std::int64_t first = 0; first < keys; first += kKeysPerItem)
        items.push_back({some, first, std::min(keys, first + kKeysPerItem)});
    }

  const std::size_t padded = padded_dim(shape.head_dim);
  std::vector<std::vector<PartialRow>> partials(items.size());
  parallel_for(std::ssize(items), threads, [&](std::int64_t i) {
    const Item& item = items[i];
    const std::int64_t offset = kv_offset(shape, rows[item.rows.front()]);
    std::vector<const double*> q;
    std::vector<std::int64_t> visible;
    for (const std::size_t r : item.rows) {
      q.push_back(queries[r].data());
      visible.push_back(limit[r]);
      partials[i].push_back({.scale = {}, .sum = 0, .o = std::vector<double>(padded)});
    }
    accumulate({.k = element(in.k, shape.dtype, offset),
                .v = element(in.v, shape.dtype, offset),
                .dtype = shape.dtype,
                .head_dim = shape.head_dim,
                .list = list,
                .first = item.first,
                .last = item.last,
                .q = q.data(),
                .visible = visible.data(),
                .count = std::ssize(q)},
               partials[i].data());
  });

  std::vector<PartialRow> whole(rows.size(), {.scale = {}, .sum = 0, .o = std::vector<double>(padded)});
  for (std::size_t i = 0; i < items.size(); ++i)
    for (std::size_t r = 0; r < items[i].rows.size(); ++r) merge(whole[items[i].rows[r]], partials[i][r]);

  AttentionRows result{.rows = {rows.begin(), rows.end()}, .o = {}, .lse = {}, .scale = {}};
  for (std::size_t r = 0; r < whole.size(); ++r) {
    PartialRow& row = whole[r];
    row.scale.q_norm = std::sqrt(std::inner_product(queries[r].begin(), queries[r].end(), queries[r].begin(), 0.0));
    const double normalizer = row.sum > 0 ? 1 / row.sum : 0;
    for (std::int64_t c = 0; c < shape.head_dim; ++c) result.o.push_back(row.o[c] * normalizer);
    result.lse.push_back(row.scale.max_logit + std::log(row.sum));
    row.scale.p2v2 *= normalizer * normalizer;
    result.scale.push_back(row.scale);
  }
  return result;
}

}  // namespace

AttentionRows exact_attention(const AttentionInputs& host, std::span<const Row> rows, int threads) {
  std::vector<std::int64_t> visible;
  for (const Row& row : rows) visible.push_back(host.shape.visible(row.query));
  return attend(host, rows, visible, nullptr, threads);
}

AttentionRows attention_over(const AttentionInputs& host, const Row& row, std::span<const std::int32_t> keys,
                             int threads) {
  const std::int64_t count = std::ssize(keys);
  return attend(host, {&row, 1}, {&count, 1}, keys.data(), threads);
}

double softmax_weight(const AttentionInputs& host, const Row& row, double lse, std::int64_t key) {
  const Shape& shape = host.shape;
  const std::vector<double> q = scaled_query(host, row);
  const std::int64_t offset = kv_offset(shape, row) + key * shape.head_dim;
  double logit = 0;
  for (std::int64_t c = 0; c < shape.head_dim; ++c) logit += q[c] * load_element(host.k, shape.dtype, offset + c);
  return std::exp(logit - lse);
}

}  // namespace attnscope
