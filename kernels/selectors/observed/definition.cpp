// SPDX-License-Identifier: Apache-2.0
#include "harness/method/definition.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/compose/exact.hpp"
#include "kernels/selectors/observed/observed.hpp"

namespace attnscope::observed {
namespace {

using compose::Bounded;

/// Adds what past query `i` of the row's head attended to. A weight is off by a factor within exp(±η): its logit and
/// the sum of all of them move by as much as a logit may (the maximum cancels), the exponential is off by at most
/// (4 + 2 |s − max|) ulp, and the float factor 1/sum and its product add two roundings.
void add_attention(const AttentionInputs& host, const Row& row, std::int64_t i, std::vector<Bounded>& sums) {
  const Shape& shape = host.shape;
  const std::int64_t d = shape.head_dim;
  const std::int64_t first = (row.batch * shape.kv_heads + row.head / shape.group()) * shape.kv_len;
  const std::int64_t visible = shape.kv_len - shape.q_len - shape.history + i + 1;
  std::vector<double> q(d), k(d), logit(visible);
  compose::load(host.past_q, shape.dtype, ((row.batch * shape.q_heads + row.head) * shape.history + i) * d, q);
  double most_error = 0;
  for (std::int64_t j = 0; j < visible; ++j) {
    compose::load(host.k, shape.dtype, (first + j) * d, k);
    double magnitude = 0;
    for (std::int64_t c = 0; c < d; ++c) {
      logit[j] += q[c] * k[c];
      magnitude += std::abs(q[c] * k[c]);
    }
    logit[j] *= host.scale;
    most_error = std::max(most_error, host.scale * magnitude * compose::dot_error(d));
  }
  const double top = std::ranges::max(logit);
  double total = 0;
  for (double& s : logit) total += s = std::exp(s - top);
  for (std::int64_t j = 0; j < visible; ++j) {
    const double eta = 2 * most_error + (8 - 4 * std::log(std::max(logit[j], 1e-300))) * 0x1p-23;
    sums[j].value += logit[j] / total;
    sums[j].error += logit[j] / total * std::expm1(eta) + 0x1p-126;  // tiny weights may be flushed to zero
  }
}

/// The pooled observed attention of the prefix.
std::vector<Bounded> pooled_attention(const AttentionInputs& host, const Settings& settings, const Row& row) {
  const Shape& shape = host.shape;
  std::vector<Bounded> sums(shape.kv_len);
  for (std::int64_t i = shape.history - settings.queries; i < shape.history; ++i) add_attention(host, row, i, sums);
  // The sums, and a mean's, are in float: a rounding per term.
  const double roundings = static_cast<double>(settings.queries + settings.pool.width + 1) * 0x1p-24;
  std::vector<Bounded> pooled(settings.prefix);
  const std::int64_t reach = settings.pool.width / 2;
  for (std::int64_t j = 0; j < settings.prefix; ++j) {
    const auto begin = sums.begin() + std::max<std::int64_t>(0, j - reach);
    const auto end = sums.begin() + std::min(settings.prefix, j + reach + 1);
    Bounded value;
    for (auto near = begin; near < end; ++near) {
      const bool mean = settings.pool.kind == select::Pool::Kind::mean;
      value.value = mean ? value.value + near->value : std::max(value.value, near->value);
      value.error = mean ? value.error + near->error : std::max(value.error, near->error);
    }
    const double divisor =
        settings.pool.kind == select::Pool::Kind::mean ? static_cast<double>(settings.pool.width) : 1;
    pooled[j] = {.value = value.value / divisor, .error = value.error / divisor + value.value / divisor * roundings};
  }
  return pooled;
}

RowSelection select_row(const AttentionInputs& host, const Settings& settings, const Row& row) {
  compose::Choice choice = compose::largest(pooled_attention(host, settings, row), settings.kept);
  for (std::int64_t j = settings.prefix; j < host.shape.kv_len; ++j)
    choice.certain.push_back(static_cast<std::int32_t>(j));
  return {.keys = std::move(choice.certain),
          .borderline = std::move(choice.open),
          .borderline_min = choice.take,
          .borderline_max = choice.take};
}

}  // namespace

std::unique_ptr<const Definition> define(const AttentionInputs& host, const Settings& settings) {
  return define_rows([host, settings](const Row& row) { return select_row(host, settings, row); });
}

}  // namespace attnscope::observed
