// SPDX-License-Identifier: Apache-2.0
#include "harness/verify/terms.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "harness/base/half.hpp"

namespace attnscope {
namespace {

struct Term {
  double logit = 0;
  std::span<const double> value;
};

double squared_norm(std::span<const double> x) { return std::inner_product(x.begin(), x.end(), x.begin(), 0.0); }

std::vector<double> load_row(const void* data, const Shape& shape, std::int64_t row) {
  std::vector<double> x(shape.head_dim);
  for (std::int64_t c = 0; c < shape.head_dim; ++c) x[c] = load_element(data, shape.dtype, row * shape.head_dim + c);
  return x;
}

/// o, lse and what RowScale asks of the terms; q_norm and max_k_norm are the caller's.
AttentionRows softmax_over(const Row& row, std::span<const Term> terms, std::int64_t head_dim, RowScale scale) {
  for (const Term& term : terms) {
    scale.max_logit = std::max(scale.max_logit, term.logit);
    scale.max_abs_logit = std::max(scale.max_abs_logit, std::abs(term.logit));
  }
  double sum = 0;
  std::vector<double> o(head_dim);
  for (const Term& term : terms) {
    const double p = std::exp(term.logit - scale.max_logit);
    const double v2 = squared_norm(term.value);
    sum += p;
    scale.p2v2 += p * p * v2;
    scale.v2 += v2;
    for (std::int64_t c = 0; c < head_dim; ++c) o[c] += p * term.value[c];
  }
  scale.keys = static_cast<double>(terms.size());
  if (sum > 0) {
    scale.p2v2 /= sum * sum;
    for (double& x : o) x /= sum;
  }
  return {.rows = {row}, .o = std::move(o), .lse = {scale.max_logit + std::log(sum)}, .scale = {scale}};
}

}  // namespace

AttentionRows attention_with(const AttentionInputs& host, const Row& row, std::span<const std::int32_t> keys,
                             const RowTerms& terms, int threads) {
  if (terms.plain()) return attention_over(host, row, keys, threads);
  const Shape& shape = host.shape;
  std::vector<double> q = load_row(host.q, shape, (row.batch * shape.q_heads + row.head) * shape.q_len + row.query);
  for (double& x : q) x *= host.scale;

  RowScale scale{.q_norm = std::sqrt(squared_norm(q)), .logit_error = terms.logit_error};
  const std::int64_t first = (row.batch * shape.kv_heads + row.head / shape.group()) * shape.kv_len;
  std::vector<double> values;
  values.reserve(keys.size() * shape.head_dim);
  std::vector<double> logits;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const std::vector<double> k = load_row(host.k, shape, first + keys[i]),
                              v = load_row(host.v, shape, first + keys[i]);
    const double weight = terms.log_weight.empty() ? 0 : terms.log_weight[i];
    logits.push_back(std::inner_product(q.begin(), q.end(), k.begin(), 0.0) + weight);
    scale.max_k_norm = std::max(scale.max_k_norm, std::sqrt(squared_norm(k)));
    values.insert(values.end(), v.begin(), v.end());
  }

  std::vector<Term> all;
  const auto append = [&](std::span<const double> some, std::span<const double> their_values) {
    for (std::size_t i = 0; i < some.size(); ++i)
      all.push_back({some[i], their_values.subspan(i * shape.head_dim, shape.head_dim)});
  };
  append(logits, values);
  append(terms.extra_logits, terms.extra_values);
  return softmax_over(row, all, shape.head_dim, scale);
}

}  // namespace attnscope
