// SPDX-License-Identifier: Apache-2.0
// Locality-sensitive hashing of keys by the signs of Gaussian projections (SimHash; Charikar, STOC 2002), as sampling
// for attention (MagicPIG, arXiv 2410.16179): a key is listed when it shares its bucket with the query in at least two
// tables, which happens with a known probability, by which its weight is corrected.
#pragma once

#include <cstdint>
#include <memory>

#include "harness/base/attention.hpp"
#include "harness/device/buffer.hpp"
#include "kernels/core/queue.hpp"
#include "kernels/core/selection.hpp"
#include "kernels/select/select.hpp"

namespace attnscope::select {

/// What is hashed, and how.
struct Lsh {
  static constexpr std::int64_t kMaxBits = 15;

  std::int64_t bits = 10;  // K: signs that make a code, 1 to kMaxBits
  std::int64_t tables = 150;
  std::uint64_t seed = 0;
  bool centred = true;    // the mean of the indexed keys is subtracted from keys before hashing; it changes no softmax
  KeyRange indexed = {};  // of every sequence; the other keys are listed for every query

  std::int64_t buckets() const { return std::int64_t{1} << bits; }
  std::int64_t keys() const { return indexed.end - indexed.begin; }
  std::int64_t projections() const { return bits * tables; }
};

/// The index as it lies in the memory of its backend.
struct LshTables {
  const float* centre = nullptr;        // [batch · kv_heads, head_dim]; zeros unless centred
  const std::int32_t* begin = nullptr;  // [batch · kv_heads, tables, buckets + 1], bucket c: [begin[c], begin[c + 1])
  const std::int32_t* keys = nullptr;   // [batch · kv_heads, tables, indexed keys], ascending in each bucket
  const std::uint16_t* query_codes = nullptr;  // [tables, batch · q_heads], of the last hash_queries
};

/// The tables of one problem (q_len = 1) on one backend, and the lookups of its queries. Its memory is taken when it is
/// made: 4 · tables bytes per indexed key and KV head; for the codes of a pass half as much for each of its heads, up
/// to 1 GiB or one head; two bits per key and query head. Bit t · bits + i of a key k is [w · (k − centre) > 0], and
/// that of a query q is [w · q > 0], w = projection t · bits
/// + i.
class LshIndex {
 public:
  virtual ~LshIndex() = default;

  // Building, in this order. Codes are kept for some heads at a time: passes of hashing and sorting alternate.
  virtual void centre() = 0;
  std::int64_t passes() const;
  virtual void hash_keys(std::int64_t pass) = 0;
  virtual void sort_keys(std::int64_t pass) = 0;

  // A step of decoding, in this order. Lists have capacity for every key of the sequence, one list per query head.
  virtual void hash_queries() = 0;
  virtual void find_collisions() = 0;
  virtual void list(const Lists& lists) = 0;
  /// log_weight, parallel to the indices: −ln(u + floor) for indexed keys, u the probability that a key at its angle is
  /// listed; 0 for the others.
  virtual void weigh(const Lists& lists, float floor, float* log_weight) = 0;

  LshTables tables() const;

 protected:
  LshIndex(const Queue& on, const AttentionInputs& in, const Lsh& lsh);

  std::int64_t heads() const { return in_.shape.batch * in_.shape.kv_heads; }
  std::int64_t rows() const { return in_.shape.batch * in_.shape.q_heads; }
  /// KV heads [first, first + count), counted over the batch, whose codes a pass holds.
  struct Heads {
    std::int64_t first = 0;
    std::int64_t count = 0;
  };
  Heads heads_of(std::int64_t pass) const;

  const AttentionInputs in_;
  const Lsh lsh_;
  const std::int64_t heads_per_pass_;
  Buffer centre_;       // float
  Buffer begin_;        // int32
  Buffer keys_;         // int32
  Buffer codes_;        // uint16 [heads_per_pass, tables, indexed keys]
  Buffer query_codes_;  // uint16
};

/// Throws Error when `lsh` has no meaning for the shape, OutOfMemory, and MachineError without the backend.
std::unique_ptr<LshIndex> make_lsh_index(const Queue& on, const AttentionInputs& in, const Lsh& lsh);

}  // namespace attnscope::select
