// SPDX-License-Identifier: Apache-2.0
#include "harness/workload/statistics.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "harness/base/half.hpp"
#include "harness/base/parallel.hpp"

namespace attnscope {
namespace {

std::vector<double> load_row(const void* tensor, Dtype dtype, std::int64_t offset, std::int64_t dims) {
  std::vector<double> row(static_cast<std::size_t>(dims));
  for (std::int64_t c = 0; c < dims; ++c) row[static_cast<std::size_t>(c)] = load_element(tensor, dtype, offset + c);
  return row;
}

// Eight sums side by side, so that the loop vectorises.
template <Dtype dtype>
double dot(std::span<const double> q, const void* keys, std::int64_t offset) {
  constexpr std::size_t kWidth = 8;
  std::array<double, kWidth> sums{};
  std::size_t c = 0;
  for (; c + kWidth <= q.size(); c += kWidth)
    for (std::size_t i = 0; i < kWidth; ++i)
      sums[i] += q[c + i] * load_element(keys, dtype, offset + static_cast<std::int64_t>(c + i));
  for (; c < q.size(); ++c) sums[0] += q[c] * load_element(keys, dtype, offset + static_cast<std::int64_t>(c));
  return std::reduce(sums.begin(), sums.end());
}

template <Dtype dtype>
void logits(const AttentionInputs& host, std::span<const double> q, std::int64_t first_key, std::vector<double>& out) {
  for (std::size_t j = 0; j < out.size(); ++j)
    out[j] = static_cast<double>(host.scale) *
             dot<dtype>(q, host.k, first_key + static_cast<std::int64_t>(j) * host.shape.head_dim);
}

std::int64_t query_offset(const Shape& shape, const Row& row) {
  return ((row.batch * shape.q_heads + row.head) * shape.q_len + row.query) * shape.head_dim;
}

std::optional<double> cosine_to_previous(const AttentionInputs& host, const Row& row) {
  if (row.query == 0) return std::nullopt;
  const Shape& s = host.shape;
  const auto a = load_row(host.q, s.dtype, query_offset(s, row), s.head_dim);
  const auto b = load_row(host.q, s.dtype, query_offset(s, row) - s.head_dim, s.head_dim);
  const double aa = std::inner_product(a.begin(), a.end(), a.begin(), 0.0);
  const double bb = std::inner_product(b.begin(), b.end(), b.begin(), 0.0);
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0) / std::sqrt(aa * bb);
}

// Sorted descending, summed from the heaviest: counts and top masses in one pass.
void measure_concentration(std::vector<double> weights, RowStatistics& s) {
  std::ranges::sort(weights, std::greater{});
  double sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const auto keys = static_cast<std::int64_t>(i) + 1;
    sum += weights[i];
    if (sum < .90) s.keys_90 = keys;
    if (sum < .95) s.keys_95 = keys;
    if (sum < .98) s.keys_98 = keys;
    if (keys <= 512) s.best_512 = sum;
    if (keys <= 4096) s.best_4096 = sum;
    if (weights[i] > 0) s.entropy -= weights[i] * std::log(weights[i]);
  }
  // So far the most keys that hold less; one more reaches the mass.
  for (std::int64_t* keys : {&s.keys_90, &s.keys_95, &s.keys_98}) *keys = std::min(*keys + 1, s.visible);
}

RowStatistics measure_row(const AttentionInputs& host, const Row& row, const StatisticsOptions& options) {
  std::vector<double> weights = attention_weights(host, row);
  RowStatistics s;
  s.row = row;
  s.visible = static_cast<std::int64_t>(weights.size());
  s.first_mass = weights[0];
  const std::int64_t window_begin = std::max<std::int64_t>(1, s.visible - options.window);
  s.window_mass = std::reduce(weights.begin() + std::min(window_begin, s.visible), weights.end());
  if (options.columns)
    for (const std::int64_t j : options.columns(row))
      if (j > 0 && j < window_begin) s.column_mass += weights[static_cast<std::size_t>(j)];
  s.query_cosine = cosine_to_previous(host, row);
  measure_concentration(std::move(weights), s);
  return s;
}

double quantile(std::vector<double> values, double p) {
  if (values.empty()) return 0;
  const auto at = static_cast<std::ptrdiff_t>(p * static_cast<double>(values.size() - 1));
  std::ranges::nth_element(values, values.begin() + at);
  return values[static_cast<std::size_t>(at)];
}

}  // namespace

std::vector<double> attention_weights(const AttentionInputs& host, const Row& row) {
  const Shape& shape = host.shape;
  const std::vector<double> q = load_row(host.q, shape.dtype, query_offset(shape, row), shape.head_dim);
  const std::int64_t kv_head = row.batch * shape.kv_heads + row.head / shape.group();
  const std::int64_t first_key = kv_head * shape.kv_len * shape.head_dim;
  std::vector<double> weights(static_cast<std::size_t>(shape.visible(row.query)));
  switch (shape.dtype) {
    case Dtype::f32:
      logits<Dtype::f32>(host, q, first_key, weights);
      break;
    case Dtype::f16:
      logits<Dtype::f16>(host, q, first_key, weights);
      break;
    case Dtype::bf16:
      logits<Dtype::bf16>(host, q, first_key, weights);
      break;
  }
  const double largest = *std::ranges::max_element(weights);
  double sum = 0;
  for (double& w : weights) sum += w = std::exp(w - largest);
  for (double& w : weights) w /= sum;
  return weights;
}

std::vector<RowStatistics> measure_rows(const AttentionInputs& host, std::span<const Row> rows,
                                        const StatisticsOptions& options) {
  std::vector<RowStatistics> result(rows.size());
  parallel_for(static_cast<std::int64_t>(rows.size()), options.threads, [&](std::int64_t i) {
    const auto index = static_cast<std::size_t>(i);
    result[index] = measure_row(host, rows[index], options);
  });
  return result;
}

std::vector<Row> rows_to_measure(const Shape& shape, std::int64_t per_head) {
  std::vector<Row> rows;
  const std::int64_t half = (shape.q_len + 1) / 2;
  per_head = std::min(per_head, half);
  for (std::int64_t b = 0; b < shape.batch; ++b)
    for (std::int64_t h = 0; h < shape.q_heads; ++h)
      for (std::int64_t i = 1; i <= per_head; ++i)
        rows.push_back({.batch = b, .head = h, .query = shape.q_len - half + i * half / per_head - 1});
  return rows;
}

std::vector<std::int64_t> heaviest_columns(const AttentionInputs& host, std::int64_t batch, std::int64_t head,
                                           std::int64_t count, std::int64_t window) {
  const Shape& shape = host.shape;
  std::vector<double> total(static_cast<std::size_t>(shape.kv_len));
  for (std::int64_t i = std::max<std::int64_t>(0, shape.q_len - 64); i < shape.q_len; ++i) {
    const auto weights = attention_weights(host, {.batch = batch, .head = head, .query = i});
    const std::int64_t far = static_cast<std::int64_t>(weights.size()) - window;
    for (std::int64_t j = 1; j < far; ++j) total[static_cast<std::size_t>(j)] += weights[static_cast<std::size_t>(j)];
  }
  std::vector<std::int64_t> columns;
  for (std::int64_t j = 1; j < shape.kv_len; ++j)
    if (total[static_cast<std::size_t>(j)] > 0) columns.push_back(j);
  const auto heavier = [&](std::int64_t a, std::int64_t b) {
    const double x = total[static_cast<std::size_t>(a)], y = total[static_cast<std::size_t>(b)];
    return x != y ? x > y : a < b;
  };
  const auto kept = std::min(count, static_cast<std::int64_t>(columns.size()));
  std::ranges::partial_sort(columns, columns.begin() + kept, heavier);
  columns.resize(static_cast<std::size_t>(kept));
  std::ranges::sort(columns);
  return columns;
}

StatisticsSummary summarise(std::span<const RowStatistics> rows) {
  const auto values = [&](auto&& of) {
    std::vector<double> list;
    for (const RowStatistics& row : rows) list.push_back(static_cast<double>(of(row)));
    return list;
  };
  const auto mean = [&](auto&& of) {
    const std::vector<double> list = values(of);
    return std::reduce(list.begin(), list.end()) / static_cast<double>(list.size());
  };
  std::vector<double> cosines;
  for (const RowStatistics& row : rows)
    if (row.query_cosine) cosines.push_back(*row.query_cosine);
  using R = RowStatistics;
  return {.first_mass = mean([](const R& r) { return r.first_mass; }),
          .window_mass = mean([](const R& r) { return r.window_mass; }),
          .column_mass = mean([](const R& r) { return r.column_mass; }),
          .keys_90 = mean([](const R& r) { return r.keys_90; }),
          .keys_95 = mean([](const R& r) { return r.keys_95; }),
          .keys_98 = mean([](const R& r) { return r.keys_98; }),
          .keys_95_median = quantile(values([](const R& r) { return r.keys_95; }), .5),
          .share_95 = mean([](const R& r) { return r.share_95(); }),
          .best_512 = mean([](const R& r) { return r.best_512; }),
          .best_4096 = mean([](const R& r) { return r.best_4096; }),
          .best_512_without_first = mean([](const R& r) { return r.without_first(r.best_512); }),
          .entropy = mean([](const R& r) { return r.entropy; }),
          .query_cosine_p10 = quantile(cosines, .1),
          .query_cosine_median = quantile(cosines, .5)};
}

}  // namespace attnscope
