// SPDX-License-Identifier: Apache-2.0
// The judge of every other engine: the definition, in double, one row after the other.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/base/half.hpp"
#include "kernels/attend/attend.hpp"
#include "kernels/attend/check.hpp"

namespace attnscope::attend {
namespace {

/// The log weights of the keys that a row attends: entries of a weighted list are single keys and ascend, so the keys
/// are its first entries. Null for none.
const float* log_weights(const Selection& selection, const Shape& s, const Row& row) {
  const auto* list = std::get_if<TokenList>(&selection);
  if (!list || list->log_weight.empty()) return nullptr;
  const std::int64_t head = row.head / (s.q_heads / list->heads);
  return list->log_weight.data() +
         list->begin[static_cast<std::size_t>((row.batch * list->heads + head) * s.q_len + row.query)];
}

Dtype output_dtype(const Shape& shape, const AttentionOutputs& out) { return out.partial ? Dtype::f32 : shape.dtype; }

}  // namespace

void reference(const AttentionInputs& in, const Selection& selection, const AttentionOutputs& out) {
  const auto* chunks = std::get_if<ChunkList>(&selection);
  if (chunks && !chunks->weights.empty())
    throw Error("attend::reference: weighted chunks are not one softmax; run a weighted ChunkList in its room");

  if (const auto* list = std::get_if<TokenList>(&selection)) check_token_list(*list, in.shape, "attend::reference");

  const Shape& s = in.shape;
  const std::int64_t d = s.head_dim;
  std::vector<std::int32_t> keys;
  std::vector<double> weights, o(static_cast<std::size_t>(d));

  for (std::int64_t b = 0; b < s.batch; ++b)
    for (std::int64_t h = 0; h < s.q_heads; ++h)
      for (std::int64_t i = 0; i < s.q_len; ++i) {
        const std::int64_t row = (b * s.q_heads + h) * s.q_len + i;
        const KvRows kv_rows = in.kv_rows(b, h / s.group());
        attended_keys(selection, s, {b, h, i}, keys);
        const float* key_weights = log_weights(selection, s, {b, h, i});

        weights.clear();
        double largest = -std::numeric_limits<double>::infinity();
        for (std::size_t n = 0; n < keys.size(); ++n) {
          const std::int64_t kv_row = kv_rows.row(keys[n]);
          double dot = 0;
          for (std::int64_t c = 0; c < d; ++c)
            dot += static_cast<double>(load_element(in.q, s.dtype, row * d + c)) *
                   static_cast<double>(load_element(in.k, s.dtype, kv_row * d + c));
          weights.push_back(static_cast<double>(in.scale) * dot +
                            (key_weights ? static_cast<double>(key_weights[n]) : 0.0));
          largest = std::max(largest, weights.back());
        }

        double sum = 0;
        o.assign(o.size(), 0.0);
        for (std::size_t n = 0; n < keys.size(); ++n) {
          const double weight = std::exp(weights[n] - largest);
          const std::int64_t kv_row = kv_rows.row(keys[n]);
          sum += weight;
          for (std::int64_t c = 0; c < d; ++c)
            o[static_cast<std::size_t>(c)] += weight * static_cast<double>(load_element(in.v, s.dtype, kv_row * d + c));
        }
        for (std::int64_t c = 0; c < d; ++c)
          store_element(out.o, output_dtype(s, out), row * d + c,
                        keys.empty() ? 0.0f : static_cast<float>(o[static_cast<std::size_t>(c)] / sum));
        out.lse[row] = static_cast<float>(largest + std::log(sum));  // −infinity without keys: −∞ + ln 0
      }
}

void reference_merge(const Shape& shape, std::span<const AttentionOutputs> parts, const AttentionOutputs& out) {
  check_parts(parts, "attend::reference_merge");
  for (std::int64_t row = 0; row < shape.rows(); ++row) {
    double largest = -std::numeric_limits<double>::infinity(), sum = 0;
    for (const AttentionOutputs& part : parts) largest = std::max(largest, static_cast<double>(part.lse[row]));
    const auto weight = [&](const AttentionOutputs& part) {
      return std::isinf(part.lse[row]) ? 0.0 : std::exp(static_cast<double>(part.lse[row]) - largest);
    };
    for (const AttentionOutputs& part : parts) sum += weight(part);
    for (std::int64_t e = row * shape.head_dim; e < (row + 1) * shape.head_dim; ++e) {
      double o = 0;
      for (const AttentionOutputs& part : parts)
        if (weight(part) > 0) o += weight(part) / sum * static_cast<double>(static_cast<const float*>(part.o)[e]);
      store_element(out.o, output_dtype(shape, out), e, static_cast<float>(o));
    }
    out.lse[row] = static_cast<float>(largest + std::log(sum));
  }
}

}  // namespace attnscope::attend
