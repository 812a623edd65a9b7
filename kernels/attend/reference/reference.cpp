// SPDX-License-Identifier: Apache-2.0
// The judge of every other engine: the definition, in double, one row after the other.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/base/half.hpp"
#include "kernels/attend/attend.hpp"

namespace attnscope::attend {

void reference(const AttentionInputs& in, const Selection& selection, const AttentionOutputs& out) {
  const auto* chunks = std::get_if<ChunkList>(&selection);
  if (chunks && !chunks->weights.empty())
    throw Error("attend::reference: weighted chunks are not one softmax; run a weighted ChunkList in its room");

  const Shape& s = in.shape;
  const std::int64_t d = s.head_dim;
  std::vector<std::int32_t> keys;
  std::vector<double> weights, o(static_cast<std::size_t>(d));

  for (std::int64_t b = 0; b < s.batch; ++b)
    for (std::int64_t h = 0; h < s.q_heads; ++h)
      for (std::int64_t i = 0; i < s.q_len; ++i) {
        const std::int64_t row = (b * s.q_heads + h) * s.q_len + i;
        const std::int64_t kv = (b * s.kv_heads + h / s.group()) * s.kv_len * d;
        attended_keys(selection, s, {b, h, i}, keys);

        weights.clear();
        double largest = -std::numeric_limits<double>::infinity();
        for (const std::int64_t key : keys) {
          double dot = 0;
          for (std::int64_t c = 0; c < d; ++c)
            dot += static_cast<double>(load_element(in.q, s.dtype, row * d + c)) *
                   static_cast<double>(load_element(in.k, s.dtype, kv + key * d + c));
          weights.push_back(static_cast<double>(in.scale) * dot);
          largest = std::max(largest, weights.back());
        }

        double sum = 0;
        o.assign(o.size(), 0.0);
        for (std::size_t n = 0; n < keys.size(); ++n) {
          const double weight = std::exp(weights[n] - largest);
          sum += weight;
          for (std::int64_t c = 0; c < d; ++c)
            o[static_cast<std::size_t>(c)] +=
                weight * static_cast<double>(load_element(in.v, s.dtype, kv + keys[n] * d + c));
        }
        for (std::int64_t c = 0; c < d; ++c)
          store_element(out.o, s.dtype, row * d + c,
                        keys.empty() ? 0.0f : static_cast<float>(o[static_cast<std::size_t>(c)] / sum));
        out.lse[row] = static_cast<float>(largest + std::log(sum));  // −infinity without keys: −∞ + ln 0
      }
}

}  // namespace attnscope::attend
