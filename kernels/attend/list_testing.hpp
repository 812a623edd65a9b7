// SPDX-License-Identifier: Apache-2.0
// Token and page lists for the tests of the engines.
#pragma once

#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

#include "kernels/core/selection.hpp"

namespace attnscope::attend {

/// Lists in host memory, one after the other.
struct HostLists {
  std::vector<std::int64_t> begin;
  std::vector<std::int32_t> count;
  std::vector<std::int32_t> indices;
  std::vector<float> log_weight;

  void add(const std::vector<std::int32_t>& list) {
    begin.push_back(static_cast<std::int64_t>(indices.size()));
    count.push_back(static_cast<std::int32_t>(list.size()));
    indices.insert(indices.end(), list.begin(), list.end());
  }

  /// Normal weights for every entry.
  void draw_log_weights() {
    std::mt19937 generator(8);
    std::normal_distribution<float> normal;
    log_weight.resize(indices.size());
    std::ranges::generate(log_weight, [&] { return normal(generator); });
  }

  TokenList view(std::int64_t heads, std::int64_t page) const {
    return {heads, page, begin, count, indices, log_weight};
  }
};

/// `lists` lists over `entries` numbers, each kept with probability `density`.
inline HostLists random_lists(std::int64_t lists, std::int64_t entries, double density) {
  std::mt19937 generator(7);
  std::bernoulli_distribution keep(density);
  HostLists result;
  for (std::int64_t n = 0; n < lists; ++n) {
    std::vector<std::int32_t> list;
    for (std::int32_t entry = 0; entry < entries; ++entry)
      if (keep(generator)) list.push_back(entry);
    result.add(list);
  }
  return result;
}

/// `lists` random lists of keys below kv_len, whose lengths go through `lengths` again and again.
inline HostLists lists_of_lengths(const std::vector<std::size_t>& lengths, std::int64_t lists, std::int64_t kv_len) {
  std::mt19937 generator(9);
  std::vector<std::int32_t> keys(static_cast<std::size_t>(kv_len));
  std::iota(keys.begin(), keys.end(), 0);
  HostLists result;
  for (std::size_t n = 0; n < static_cast<std::size_t>(lists); ++n) {
    std::vector<std::int32_t> list;
    std::ranges::sample(keys, std::back_inserter(list), static_cast<std::ptrdiff_t>(lengths[n % lengths.size()]),
                        generator);
    result.add(list);
  }
  return result;
}

/// `lists` times the keys below kv_len that leave `remainder` when halved.
inline HostLists every_other_key(std::int64_t lists, std::int64_t kv_len, std::int32_t remainder) {
  std::vector<std::int32_t> list;
  for (std::int32_t key = remainder; key < kv_len; key += 2) list.push_back(key);
  HostLists result;
  for (std::int64_t n = 0; n < lists; ++n) result.add(list);
  return result;
}

}  // namespace attnscope::attend
