// SPDX-License-Identifier: Apache-2.0
#include "kernels/selectors/double_sparsity/channels.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace attnscope::double_sparsity {
namespace {

/// Σ over the block of the magnitudes that rank the channels of query head `head`.
void add_magnitudes(const Shape& shape, const CalibrationRows& rows, Target target, std::int64_t head,
                    std::vector<double>& sum) {
  const std::int64_t kv_head = head / shape.group();
  const std::int64_t past = shape.kv_len - shape.q_len;  // keys before the first query of the call
  const std::int64_t tokens = std::min(kCalibrationTokens, target == Target::k ? shape.kv_len : shape.history);
  for (std::int64_t t = 0; t < tokens; ++t) {
    std::vector<float> q, k;
    if (target != Target::k) q = rows.past_query(head, shape.history - tokens + t);
    if (target == Target::k) k = rows.key(kv_head, shape.kv_len - tokens + t);
    if (target == Target::qk) k = rows.key(kv_head, past - tokens + t);  // the token that asked
    for (std::int64_t c = 0; c < shape.head_dim; ++c)
      sum[c] += std::abs((q.empty() ? 1.0 : double{q[c]}) * (k.empty() ? 1.0 : double{k[c]}));
  }
}

std::vector<std::int32_t> largest_channels(const std::vector<double>& magnitude, std::int64_t count) {
  std::vector<std::int32_t> channels(magnitude.size());
  std::iota(channels.begin(), channels.end(), 0);
  std::ranges::stable_sort(channels, std::greater<>(), [&](std::int32_t c) { return magnitude[c]; });
  channels.resize(count);
  std::ranges::sort(channels);
  return channels;
}

}  // namespace

Target parse_target(const std::string& text) {
  return text == "k" ? Target::k : text == "q" ? Target::q : Target::qk;  // declared choices
}

std::vector<std::vector<std::int32_t>> calibrated_channels(const Shape& shape, const CalibrationRows& rows,
                                                           Target target, std::int64_t heads, std::int64_t count) {
  const std::int64_t share = shape.q_heads / heads;  // query heads under one choice
  std::vector<std::vector<std::int32_t>> channels;
  for (std::int64_t h = 0; h < heads; ++h) {
    std::vector<double> magnitude(shape.head_dim);
    for (std::int64_t head = h * share; head < (h + 1) * share; ++head)
      add_magnitudes(shape, rows, target, head, magnitude);
    channels.push_back(largest_channels(magnitude, count));
  }
  return channels;
}

}  // namespace attnscope::double_sparsity
