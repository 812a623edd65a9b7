// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "harness/base/error.hpp"
#include "kernels/select/lsh.hpp"
#include "kernels/select/lsh/backends.hpp"

namespace attnscope::select {
namespace {

constexpr std::int64_t kCodeBytes = std::int64_t{1} << 30;  // codes kept at once, unless one head has more

void check(const Shape& shape, const Lsh& lsh) {
  if (shape.q_len != 1) throw Error(fmt::format("lsh: expected q_len 1, found {}", shape.q_len));
  if (lsh.bits < 1 || lsh.bits > Lsh::kMaxBits)
    throw Error(fmt::format("lsh: expected 1 to {} bits, found {}", Lsh::kMaxBits, lsh.bits));
  if (lsh.tables < 2) throw Error(fmt::format("lsh: expected at least 2 tables, found {}", lsh.tables));
  if (lsh.indexed.begin < 0 || lsh.keys() < 1 || lsh.indexed.end > shape.kv_len)
    throw Error(fmt::format("lsh: expected indexed keys within [0, {}), found [{}, {})", shape.kv_len,
                            lsh.indexed.begin, lsh.indexed.end));
}

std::int64_t heads_per_pass(const Shape& shape, const Lsh& lsh) {
  const std::int64_t head_bytes = 2 * lsh.tables * lsh.keys();
  return std::clamp(kCodeBytes / head_bytes, std::int64_t{1}, shape.batch * shape.kv_heads);
}

}  // namespace

LshIndex::LshIndex(const Queue& on, const AttentionInputs& in, const Lsh& lsh)
    : in_(in),
      lsh_(lsh),
      heads_per_pass_(heads_per_pass(in.shape, lsh)),
      centre_(on.space(), heads() * in.shape.head_dim * sizeof(float)),
      begin_(on.space(), heads() * lsh.tables * (lsh.buckets() + 1) * sizeof(std::int32_t)),
      keys_(on.space(), heads() * lsh.tables * lsh.keys() * sizeof(std::int32_t)),
      codes_(on.space(), heads_per_pass_ * lsh.tables * lsh.keys() * sizeof(std::uint16_t)),
      query_codes_(on.space(), lsh.tables * rows() * sizeof(std::uint16_t)) {}

std::int64_t LshIndex::passes() const { return (heads() + heads_per_pass_ - 1) / heads_per_pass_; }

LshIndex::Heads LshIndex::heads_of(std::int64_t pass) const {
  const std::int64_t first = pass * heads_per_pass_;
  return {.first = first, .count = std::min(heads_per_pass_, heads() - first)};
}

LshTables LshIndex::tables() const {
  return {.centre = centre_.as<float>(),
          .begin = begin_.as<std::int32_t>(),
          .keys = keys_.as<std::int32_t>(),
          .query_codes = query_codes_.as<std::uint16_t>()};
}

std::unique_ptr<LshIndex> make_lsh_index(const Queue& on, const AttentionInputs& in, const Lsh& lsh) {
  check(in.shape, lsh);
  return on.space() == Space::device ? make_lsh_index_cuda(on, in, lsh) : make_lsh_index_cpu(on, in, lsh);
}

}  // namespace attnscope::select
