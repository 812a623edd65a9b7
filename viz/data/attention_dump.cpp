// SPDX-License-Identifier: Apache-2.0
#include "viz/data/attention_dump.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "harness/base/error.hpp"
#include "harness/base/half.hpp"
#include "harness/workload/safetensors.hpp"

namespace attnscope::viz {
namespace {

std::span<const std::byte> bytesOf(const SafetensorsFile& file, const char* name,
                                   const std::vector<std::int64_t>& dims) {
  const SafetensorsEntry* entry = file.find(name);
  if (!entry) throw InputError(fmt::format("{}: tensor {}: expected, not found", file.path(), name));
  if (entry->dims != dims)
    throw InputError(fmt::format("{}: tensor {}: expected the shape [{}], found [{}]", file.path(), name,
                                 fmt::join(dims, ", "), fmt::join(entry->dims, ", ")));
  return file.bytes(*entry);
}

// `count` elements from element `first` on.
std::vector<float> floats(std::span<const std::byte> bytes, Dtype dtype, std::int64_t first, std::int64_t count) {
  std::vector<float> out(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    const std::byte* at = bytes.data() + (first + i) * size_of(dtype);
    std::uint16_t half = 0;
    float& value = out[static_cast<std::size_t>(i)];
    if (dtype == Dtype::f32) {
      std::memcpy(&value, at, sizeof value);
      continue;
    }
    std::memcpy(&half, at, sizeof half);
    value = dtype == Dtype::bf16 ? bf16_to_float(half) : f16_to_float(half);
  }
  return out;
}

// Softmax of one row over its first `visible` keys; the rest stays 0.
void softmaxRow(std::span<const float> query, std::span<const float> keys, std::int64_t visible, std::span<float> row) {
  const auto dim = static_cast<std::int64_t>(query.size());
  const double scale = 1 / std::sqrt(static_cast<double>(dim));
  std::vector<double> logits(static_cast<std::size_t>(visible));
  for (std::int64_t j = 0; j < visible; ++j)
    logits[static_cast<std::size_t>(j)] =
        scale * std::inner_product(query.begin(), query.end(), keys.begin() + j * dim, 0.0);
  const double highest = *std::ranges::max_element(logits);
  double sum = 0;
  for (double& logit : logits) sum += logit = std::exp(logit - highest);
  for (std::size_t j = 0; j < logits.size(); ++j) row[j] = static_cast<float>(logits[j] / sum);
}

}  // namespace

double AttentionMap::meanKept() const {
  return std::accumulate(kept.begin(), kept.end(), 0.0) / static_cast<double>(std::max<std::size_t>(kept.size(), 1));
}

AttentionMap readAttentionMap(const QString& path, const Shape& shape, std::int64_t head) {
  const SafetensorsFile file = SafetensorsFile::open(path.toStdString());
  const auto q = bytesOf(file, "q", {shape.batch, shape.q_heads, shape.q_len, shape.head_dim});
  const auto k = bytesOf(file, "k", {shape.batch, shape.kv_heads, shape.kv_len, shape.head_dim});
  const auto mask = bytesOf(file, "mask", {shape.batch, shape.q_heads, shape.q_len, shape.kv_len});

  const std::int64_t queryElements = shape.q_len * shape.head_dim;
  const std::int64_t keyElements = shape.kv_len * shape.head_dim;
  const std::vector<float> queries = floats(q, shape.dtype, head * queryElements, queryElements);
  const std::vector<float> keys = floats(k, shape.dtype, head / shape.group() * keyElements, keyElements);

  const std::int64_t pairs = shape.q_len * shape.kv_len;
  AttentionMap map{.queries = shape.q_len,
                   .keys = shape.kv_len,
                   .weight = std::vector<float>(static_cast<std::size_t>(pairs)),
                   .attended = std::vector<std::uint8_t>(static_cast<std::size_t>(pairs)),
                   .kept = std::vector<float>(static_cast<std::size_t>(shape.q_len))};
  std::memcpy(map.attended.data(), mask.data() + head * pairs, static_cast<std::size_t>(pairs));
  for (std::int64_t i = 0; i < shape.q_len; ++i) {
    const std::span<float> row(map.weight.data() + i * shape.kv_len, static_cast<std::size_t>(shape.kv_len));
    softmaxRow(std::span(queries).subspan(static_cast<std::size_t>(i * shape.head_dim),
                                          static_cast<std::size_t>(shape.head_dim)),
               keys, shape.visible(i), row);
    double kept = 0;
    for (std::size_t j = 0; j < row.size(); ++j)
      if (map.attended[static_cast<std::size_t>(i * shape.kv_len) + j]) kept += row[j];
    map.kept[static_cast<std::size_t>(i)] = static_cast<float>(kept);
  }
  return map;
}

nlohmann::json attentionConfig(const record::Point& point, std::int64_t kvLen, const nlohmann::json& params) {
  const bool square = point.phase == Phase::prefill;
  return {{"name", "attention-map"},
          {"sweeps",
           {{{"phase", to_string(point.phase)},
             {"workload", {{"name", point.workload.name}, {"params", point.workload.params}}},
             {"seed", point.workload.seed},
             {"dtype", to_string(point.shape.dtype)},
             {"contract", "warm"},
             {"backend", "cpu"},
             {"shape",
              {{"batch", 1},
               {"q_heads", point.shape.q_heads},
               {"kv_heads", point.shape.kv_heads},
               {"head_dim", point.shape.head_dim},
               {"q_len", square ? kvLen : 1},
               {"kv_len", kvLen},
               {"causal", point.shape.causal}}},
             {"methods", {{{"name", point.method}, {"params", params}}}},
             {"sampling", {{"min_samples", 1}, {"max_samples", 1}, {"max_seconds", 1}}}}}}};
}

}  // namespace attnscope::viz
