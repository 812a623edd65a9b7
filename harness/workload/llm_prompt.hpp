// SPDX-License-Identifier: Apache-2.0
// What a prompt is to one KV head: text in paragraphs and segments, some heavy tokens, one needle. No table: every
// question about a position is answered from the seed.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/workload/llm_settings.hpp"
#include "harness/workload/permutation.hpp"

namespace attnscope::llm {

/// Consecutive stretches of `length` tokens on average; each boundary is moved by up to ±40 % of that.
class Partition {
 public:
  Partition(std::int64_t length, NoiseStream stream) : length_(length), stream_(stream) {}
  /// Number of the stretch that holds `position`, from 0.
  std::int64_t index(std::int64_t position) const;

 private:
  double boundary(std::int64_t index) const;

  std::int64_t length_;
  NoiseStream stream_;
};

struct HeavyToken {
  std::int64_t position = 0;
  std::int64_t rank = 0;  // 0 is the heaviest
};

/// Heavy tokens lie in cells of 16 positions: a permutation ranks the cells, the first `cells` of them hold three each,
/// four apart. Stratified so, their number in any long stretch hardly varies.
class HeavyTokens {
 public:
  HeavyTokens(std::int64_t context, const Settings& settings, NoiseStream stream);

  std::int64_t count() const { return 3 * heavy_cells_; }
  /// Rank of the heavy token at `position`, or −1 for an ordinary one. The first four never are.
  std::int64_t rank(std::int64_t position) const;
  /// The heavy tokens at positions [first, last), in order.
  std::vector<HeavyToken> within(std::int64_t first, std::int64_t last) const;

 private:
  static constexpr std::int64_t kCell = 16;

  std::int64_t cells_;
  std::int64_t heavy_cells_;
  Permutation ranks_;
  NoiseStream offsets_;
};

/// The needle: tokens [first, last), somewhere in the first half. Empty when the context is too short for one.
struct Needle {
  std::int64_t first = 0;
  std::int64_t last = 0;
  bool holds(std::int64_t position) const { return position >= first && position < last; }
};

Needle place_needle(std::int64_t context, const Settings& settings, NoiseStream stream);

}  // namespace attnscope::llm
