// SPDX-License-Identifier: Apache-2.0
#include "kernels/compose/exact.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "harness/base/half.hpp"

namespace attnscope::compose {
namespace {

// The rank-th largest value, rank ≥ 1.
double ranked(std::vector<double> values, std::int64_t rank) {
  std::nth_element(values.begin(), values.begin() + (rank - 1), values.end(), std::greater<>());
  return values[static_cast<std::size_t>(rank - 1)];
}

}  // namespace

double dot_error(std::int64_t length) {
  const double cuts = 1.25 * static_cast<double>(length) + 2;
  return cuts * 0x1p-23 / (1 - cuts * 0x1p-23);
}

void load(const void* data, Dtype dtype, std::int64_t first, std::span<double> out) {
  for (std::size_t c = 0; c < out.size(); ++c) out[c] = load_element(data, dtype, first + static_cast<std::int64_t>(c));
}

std::vector<Bounded> exact_logits(const AttentionInputs& host, const Row& row) {
  const Shape& shape = host.shape;
  const std::int64_t d = shape.head_dim;
  std::vector<double> q(d), k(d);
  load(host.q, shape.dtype, ((row.batch * shape.q_heads + row.head) * shape.q_len + row.query) * d, q);
  const std::int64_t kv_head = row.batch * shape.kv_heads + row.head / shape.group();
  const double relative = dot_error(d);
  std::vector<Bounded> logits(shape.visible(row.query));
  for (std::size_t j = 0; j < logits.size(); ++j) {
    load(host.k, shape.dtype, (kv_head * shape.kv_len + static_cast<std::int64_t>(j)) * d, k);
    double sum = 0, magnitude = 0;
    for (std::int64_t c = 0; c < d; ++c) {
      sum += q[c] * k[c];
      magnitude += std::abs(q[c] * k[c]);
    }
    logits[j] = {.value = host.scale * sum, .error = host.scale * magnitude * relative};
  }
  return logits;
}

Choice largest(std::span<const Bounded> scores, std::int64_t k) {
  Choice choice;
  const auto n = static_cast<std::int64_t>(scores.size());
  if (k >= n) {
    choice.certain.resize(scores.size());
    std::iota(choice.certain.begin(), choice.certain.end(), 0);
    return choice;
  }
  if (k <= 0) return choice;
  std::vector<double> low(scores.size()), high(scores.size());
  std::ranges::transform(scores, low.begin(), &Bounded::low);
  std::ranges::transform(scores, high.begin(), &Bounded::high);
  // In for certain: at most k scores, its own included, may come out at or above its lowest value.
  // Out for certain: k scores come out above its highest value.
  const double next_best = ranked(high, k + 1);
  const double worst_taken = ranked(low, k);
  for (std::int32_t i = 0; i < n; ++i) {
    if (low[i] > next_best)
      choice.certain.push_back(i);
    else if (high[i] >= worst_taken)
      choice.open.push_back(i);
  }
  choice.take = k - static_cast<std::int64_t>(choice.certain.size());
  return choice;
}

}  // namespace attnscope::compose
