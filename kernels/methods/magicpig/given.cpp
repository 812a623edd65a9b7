// SPDX-License-Identifier: Apache-2.0
#include "kernels/methods/magicpig/given.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "harness/base/error.hpp"

namespace attnscope::magicpig {
namespace {

constexpr std::int64_t kSampledKeys = 8;  // of each table

template <typename T>
std::span<const T> tensor(const std::vector<SideTensor>& built, std::string_view name, std::int64_t elements) {
  const auto found = std::ranges::find(built, name, &SideTensor::name);
  if (found == built.end()) throw Error(fmt::format("magicpig: there is no side tensor {}", name));
  if (found->bytes.size() != elements * sizeof(T))
    throw Error(fmt::format("magicpig: side tensor {}: expected {} bytes, found {}", name, elements * sizeof(T),
                            found->bytes.size()));
  return {reinterpret_cast<const T*>(found->bytes.data()), static_cast<std::size_t>(elements)};
}

std::int64_t heads_of(const Shape& shape) { return shape.batch * shape.kv_heads; }

}  // namespace

compose::Bounded project(std::span<const float> projection, std::span<const double> x, std::span<const float> centre) {
  double value = 0, magnitude = 0;
  for (std::size_t c = 0; c < x.size(); ++c) {
    const double w = projection[c], mean = centre.empty() ? 0 : centre[c];
    value += w * (x[c] - mean);
    // w · x with the rounded w · centre as one more term of the sum.
    magnitude += std::abs(w * x[c]) + 2 * std::abs(w * mean);
  }
  return {.value = value, .error = magnitude * compose::dot_error(static_cast<std::int64_t>(x.size()) + 8)};
}

GivenTables::GivenTables(const AttentionInputs& host, const select::Lsh& lsh, std::vector<SideTensor> built)
    : host_(host),
      lsh_(lsh),
      built_(std::move(built)),
      centres_(tensor<float>(built_, "centre", heads_of(host.shape) * host.shape.head_dim)),
      begin_(tensor<std::int32_t>(built_, "table_begin", heads_of(host.shape) * lsh.tables * (lsh.buckets() + 1))),
      keys_(tensor<std::int32_t>(built_, "table_keys", heads_of(host.shape) * lsh.tables * lsh.keys())),
      query_codes_(tensor<std::uint16_t>(built_, "query_codes", lsh.tables * host.shape.batch * host.shape.q_heads)),
      checks_(std::make_unique<HeadCheck[]>(heads_of(host.shape))) {}

std::span<const float> GivenTables::centre(std::int64_t head) const {
  return centres_.subspan(head * host_.shape.head_dim, host_.shape.head_dim);
}

std::uint16_t GivenTables::query_code(std::int64_t row, std::int64_t table) const {
  return query_codes_[table * host_.shape.batch * host_.shape.q_heads + row];
}

std::span<const std::int32_t> GivenTables::bucket(std::int64_t head, std::int64_t table, std::uint16_t code) const {
  const std::int64_t index = head * lsh_.tables + table;
  const std::int32_t* begin = &begin_[index * (lsh_.buckets() + 1) + code];
  return keys_.subspan(index * lsh_.keys() + begin[0], begin[1] - begin[0]);
}

const std::string& GivenTables::fault(std::int64_t head, std::span<const float> projections) const {
  HeadCheck& check = checks_[head];
  std::call_once(check.once, [&] {
    check.fault = check_centre(head);
    for (std::int64_t table = 0; table < lsh_.tables && check.fault.empty(); ++table)
      check.fault = check_table(head, table, projections);
  });
  return check.fault;
}

std::string GivenTables::check_centre(std::int64_t head) const {
  const std::int64_t d = host_.shape.head_dim;
  const auto keys = static_cast<double>(lsh_.keys());
  std::vector<double> sum(d), magnitude(d), k(d);
  for (std::int64_t key = lsh_.indexed.begin; key < lsh_.indexed.end && lsh_.centred; ++key) {
    compose::load(host_.k, host_.shape.dtype, (head * host_.shape.kv_len + key) * d, k);
    for (std::int64_t c = 0; c < d; ++c) {
      sum[c] += k[c];
      magnitude[c] += std::abs(k[c]);
    }
  }
  for (std::int64_t c = 0; c < d; ++c) {
    // A sum in double, twice as many roundings for the two of them, and the rounding to float.
    const double mean = sum[c] / keys, error = 0x1p-24 * std::abs(mean) + 0x1p-52 * magnitude[c] + 0x1p-149;
    if (!(std::abs(centre(head)[c] - mean) <= error))
      return fmt::format("centre of KV head {}, channel {}: expected {:.9g} ± {:.3g}, found {:.9g}", head, c, mean,
                         error, centre(head)[c]);
  }
  return {};
}

std::string GivenTables::check_table(std::int64_t head, std::int64_t table, std::span<const float> projections) const {
  const std::int64_t d = host_.shape.head_dim, index = head * lsh_.tables + table;
  const auto name = [&] { return fmt::format("table {} of KV head {}", table, head); };
  const auto begin = begin_.subspan(index * (lsh_.buckets() + 1), lsh_.buckets() + 1);
  if (begin.front() != 0 || begin.back() != lsh_.keys() || !std::ranges::is_sorted(begin))
    return name() + ": buckets do not divide its keys";

  std::vector<bool> seen(lsh_.keys());
  for (std::int64_t code = 0; code < lsh_.buckets(); ++code) {
    const auto keys = bucket(head, table, static_cast<std::uint16_t>(code));
    if (std::ranges::adjacent_find(keys, std::greater_equal{}) != keys.end())
      return fmt::format("{}: bucket {} is not ascending", name(), code);
    for (const std::int32_t key : keys) {
      if (key < lsh_.indexed.begin || key >= lsh_.indexed.end || seen[key - lsh_.indexed.begin])
        return fmt::format("{}: key {} in bucket {} is not indexed, or is twice", name(), key, code);
      seen[key - lsh_.indexed.begin] = true;
    }
  }

  std::vector<double> k(d);
  const std::int64_t samples = std::min(kSampledKeys, lsh_.keys());
  for (std::int64_t n = 0; n < samples; ++n) {
    const std::int64_t place = n * lsh_.keys() / samples;
    const auto code = std::ranges::upper_bound(begin, static_cast<std::int32_t>(place)) - begin.begin() - 1;
    const std::int32_t key = keys_[index * lsh_.keys() + place];
    compose::load(host_.k, host_.shape.dtype, (head * host_.shape.kv_len + key) * d, k);
    for (std::int64_t bit = 0; bit < lsh_.bits; ++bit) {
      const auto projection = project(projections.subspan((table * lsh_.bits + bit) * d, d), k, centre(head));
      const bool set = code >> bit & 1;
      if (set ? projection.high() <= 0 : projection.low() > 0)
        return fmt::format("{}: bit {} of key {} is {}, but its projection is {:.6g}", name(), bit, key, set ? 1 : 0,
                           projection.value);
    }
  }
  return {};
}

}  // namespace attnscope::magicpig
