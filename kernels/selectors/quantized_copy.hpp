// SPDX-License-Identifier: Apache-2.0
// A quantised copy of K with its memory: what Double Sparsity selects by and Twilight prunes by.
#pragma once

#include <string>
#include <vector>

#include "harness/device/buffer.hpp"
#include "harness/method/method.hpp"
#include "kernels/select/quantized.hpp"

namespace attnscope::selectors {

class QuantizedCopy {
 public:
  /// All channels of every key, or `channels` of every head: [heads][channels], heads = kv_heads or q_heads.
  QuantizedCopy(const Queue& on, const AttentionInputs& in, int bits);
  QuantizedCopy(const Queue& on, const AttentionInputs& in, int bits,
                const std::vector<std::vector<std::int32_t>>& channels);

  const select::QuantizedKeys& keys() const { return keys_; }
  void build(const Queue& on, const AttentionInputs& in) const { select::quantize_keys(on, in, keys_); }

  /// Bytes of one key's copy, its range included.
  double key_bytes(const Shape& shape) const;
  /// Reading K, writing the copy. Per kept channel: two comparisons for the range, a subtraction, a division, a
  /// rounding and a comparison.
  StageCost build_cost(std::string name, const Shape& shape) const;
  /// Scoring `pairs` (query head, key) pairs, for which `keys` rows of the copy are read over all heads that share one.
  StageCost scores_cost(std::string name, const Shape& shape, double pairs, double keys) const;
  /// `codes` U8 [planes, rows, row bytes] and, below 16 bits, `ranges` F16 [planes, rows, 2]: step and minimum.
  std::vector<SideTensor> side_tensors(const std::string& prefix, const Shape& shape) const;

 private:
  void allocate(const Queue& on, const AttentionInputs& in);

  select::QuantizedKeys keys_;
  Buffer channel_, codes_, ranges_;
};

}  // namespace attnscope::selectors
