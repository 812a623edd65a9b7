// SPDX-License-Identifier: Apache-2.0
#include "kernels/compose/quantized.hpp"

#include <algorithm>
#include <cmath>

#include "harness/base/half.hpp"

namespace attnscope::compose {
namespace {

/// One key's kept channels as a backend stores them: k̂_c = step · code_c + min.
struct QuantizedKey {
  std::vector<double> code;
  double step = 1;
  double min = 0;
};

QuantizedKey quantize(std::span<const float> k, std::int64_t bits) {
  if (bits == 16) return {.code = {k.begin(), k.end()}};
  const auto levels = static_cast<float>((1 << bits) - 1);
  const float min = std::ranges::min(k) + 0.0f;  // −0 is taken as +0
  const float max = std::ranges::max(k);
  const float step = std::max(max - min, 1e-9f) / levels;
  QuantizedKey key{.code = {}, .step = f16_to_float(float_to_f16(step)), .min = f16_to_float(float_to_f16(min))};
  for (const float x : k) key.code.push_back(std::min(std::nearbyint((x - min) / step), levels));
  return key;
}

}  // namespace

std::vector<Bounded> quantized_logits(const AttentionInputs& host, const Row& row, std::int64_t bits,
                                      std::span<const std::int32_t> channels, std::span<const std::int32_t> keys) {
  const Shape& shape = host.shape;
  const std::int64_t q_row = (row.batch * shape.q_heads + row.head) * shape.q_len + row.query;
  const std::int64_t first = (row.batch * shape.kv_heads + row.head / shape.group()) * shape.kv_len;
  const auto element = [&](const void* tensor, std::int64_t r, std::int32_t c) {
    return load_element(tensor, shape.dtype, r * shape.head_dim + c);
  };
  std::vector<Bounded> logits;
  std::vector<float> k(channels.size());
  for (const std::int32_t key : keys) {
    for (std::size_t n = 0; n < channels.size(); ++n) k[n] = element(host.k, first + key, channels[n]);
    const QuantizedKey quantized = quantize(k, bits);
    double dot = 0, dot_magnitude = 0, sum = 0, sum_magnitude = 0;
    for (std::size_t n = 0; n < channels.size(); ++n) {
      const double q = element(host.q, q_row, channels[n]);
      dot += q * quantized.code[n];
      dot_magnitude += std::abs(q * quantized.code[n]);
      sum += q;
      sum_magnitude += std::abs(q);
    }
    // Both sums round like dot products; the two products with step and min, their sum and the scale add four
    // roundings, which dot_error covers.
    const double magnitude = quantized.step * dot_magnitude + std::abs(quantized.min) * sum_magnitude;
    logits.push_back({.value = host.scale * (quantized.step * dot + quantized.min * sum),
                      .error = host.scale * magnitude * dot_error(std::ssize(channels))});
  }
  return logits;
}

}  // namespace attnscope::compose
