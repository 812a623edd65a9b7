// SPDX-License-Identifier: Apache-2.0
// Counts and enumerations against the definition of each form, tested pair by pair.
#include "kernels/core/selection.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace attnscope {
namespace {

bool contains(std::span<const std::int32_t> values, std::int64_t value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

// Says of one pair, straight from the comments in selection.hpp, whether it is attended.
struct Attends {
  const Shape& shape;
  Row row;
  std::int64_t key;

  std::int64_t list(std::int64_t heads) const {
    return (row.batch * heads + row.head * heads / shape.q_heads) * shape.q_len + row.query;
  }
  bool operator()(const Dense&) const { return true; }
  bool operator()(const Band& band) const {
    return key < band.sink || std::abs(shape.position(row.query) - key) < band.window;
  }
  bool operator()(const BlockList& blocks) const {
    const std::int64_t query_blocks = (shape.q_len + blocks.block_q - 1) / blocks.block_q;
    const std::int64_t at = (row.batch * shape.q_heads + row.head) * query_blocks + row.query / blocks.block_q;
    const auto own = blocks.indices.subspan(blocks.begin[at], blocks.begin[at + 1] - blocks.begin[at]);
    return contains(own, key / blocks.block_k);
  }
  bool operator()(const ColumnList& columns) const {
    const std::int64_t head = row.batch * shape.q_heads + row.head;
    const auto own = [head](auto begin, auto values) {
      return values.subspan(begin[head], begin[head + 1] - begin[head]);
    };
    return contains(own(columns.vertical_begin, columns.verticals), key) ||
           contains(own(columns.slash_begin, columns.slashes), shape.position(row.query) - key);
  }
  bool operator()(const TokenList& tokens) const {
    const std::int64_t r = list(tokens.heads);
    return contains(tokens.indices.subspan(tokens.begin[r], tokens.count[r]), key / tokens.page);
  }
  bool operator()(const ChunkList& chunks) const {
    return contains(chunks.indices.subspan(list(shape.kv_heads) * chunks.top_k, chunks.top_k), key / chunks.chunk);
  }
};

void expect_matches_definition(const Selection& selection, const Shape& shape) {
  std::uint64_t pairs = 0;
  std::vector<std::int32_t> listed{-7}, expected;  // listed must be replaced, not appended to
  for (std::int64_t b = 0; b < shape.batch; ++b)
    for (std::int64_t h = 0; h < shape.q_heads; ++h)
      for (std::int64_t i = 0; i < shape.q_len; ++i) {
        expected.clear();
        for (std::int64_t key = 0; key < shape.visible(i); ++key)
          if (std::visit(Attends{shape, {b, h, i}, key}, selection)) expected.push_back(static_cast<std::int32_t>(key));
        attended_keys(selection, shape, {b, h, i}, listed);
        ASSERT_EQ(listed, expected) << "row " << b << ' ' << h << ' ' << i;
        pairs += expected.size();
      }
  EXPECT_EQ(attended_pairs(selection, shape), pairs);
}

class Random {
 public:
  std::int64_t upto(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(engine_);
  }
  Shape shape() {
    Shape s;
    s.batch = upto(1, 2);
    s.kv_heads = upto(1, 2);
    s.q_heads = s.kv_heads * upto(1, 3);
    s.causal = upto(0, 1) == 1;
    s.kv_len = upto(1, 40);
    s.q_len = upto(1, s.causal ? s.kv_len : 50);
    return s;
  }
  // A random subset of [0, end), ascending; possibly empty, possibly everything.
  std::vector<std::int32_t> subset(std::int64_t end) {
    std::vector<std::int32_t> out;
    const std::int64_t share = upto(0, 4);
    for (std::int32_t i = 0; i < end; ++i)
      if (upto(1, 4) <= share) out.push_back(i);
    return out;
  }

 private:
  std::mt19937_64 engine_{20};
};

// `lists` subsets of [0, end) one after the other.
struct Csr {
  std::vector<std::int64_t> begin{0};
  std::vector<std::int32_t> count, values;
  Csr(Random& random, std::int64_t lists, std::int64_t end) {
    for (std::int64_t i = 0; i < lists; ++i) {
      const auto part = random.subset(end);
      values.insert(values.end(), part.begin(), part.end());
      begin.push_back(static_cast<std::int64_t>(values.size()));
      count.push_back(static_cast<std::int32_t>(part.size()));
    }
  }
};

constexpr int kCases = 60;

TEST(Selection, DenseAndBandMatchTheirDefinition) {
  Random random;
  for (int n = 0; n < kCases; ++n) {
    const Shape shape = random.shape();
    expect_matches_definition(Dense{}, shape);
    expect_matches_definition(Band{random.upto(0, 45), random.upto(0, 60)}, shape);
  }
}

TEST(Selection, BlockListMatchesItsDefinition) {
  Random random;
  for (int n = 0; n < kCases; ++n) {
    const Shape shape = random.shape();
    const std::int64_t block_q = random.upto(1, 12), block_k = random.upto(1, 12);
    const Csr csr(random, shape.batch * shape.q_heads * ((shape.q_len + block_q - 1) / block_q),
                  (shape.kv_len + block_k - 1) / block_k);
    expect_matches_definition(BlockList{block_q, block_k, csr.begin, csr.values}, shape);
  }
}

TEST(Selection, ColumnListCountsAPairReachedBothWaysOnce) {
  Random random;
  for (int n = 0; n < kCases; ++n) {
    const Shape shape = random.shape();
    const Csr verticals(random, shape.batch * shape.q_heads, shape.kv_len);
    const Csr slashes(random, shape.batch * shape.q_heads, shape.kv_len);
    expect_matches_definition(ColumnList{verticals.begin, verticals.values, slashes.begin, slashes.values}, shape);
  }
}

TEST(Selection, TokenListMatchesItsDefinitionPerHeadAndPerGroup) {
  Random random;
  for (int n = 0; n < kCases; ++n) {
    const Shape shape = random.shape();
    const std::int64_t page = random.upto(1, 5);
    for (const std::int64_t heads : {shape.q_heads, shape.kv_heads}) {
      const Csr csr(random, shape.batch * heads * shape.q_len, (shape.kv_len + page - 1) / page);
      expect_matches_definition(TokenList{heads, page, csr.begin, csr.count, csr.values}, shape);
    }
  }
}

TEST(Selection, ChunkListSkipsUnusedSlots) {
  Random random;
  for (int n = 0; n < kCases; ++n) {
    const Shape shape = random.shape();
    const std::int64_t chunk = random.upto(1, 8), chunks = (shape.kv_len + chunk - 1) / chunk;
    std::vector<std::int32_t> indices;
    for (std::int64_t row = 0; row < shape.batch * shape.kv_heads * shape.q_len; ++row) {
      auto own = random.subset(chunks);
      std::reverse(own.begin(), own.end());  // any order is allowed
      own.resize(static_cast<std::size_t>(chunks + 1), -1);
      indices.insert(indices.end(), own.begin(), own.end());
    }
    expect_matches_definition(ChunkList{chunk, chunks + 1, indices, {}}, shape);
  }
}

TEST(Selection, CountsPastTwoToTheThirtyOneArePreciseIn64Bits) {
  Shape shape;
  shape.q_heads = 8;
  shape.q_len = shape.kv_len = std::int64_t{1} << 20;
  const std::uint64_t n = 1u << 20;
  EXPECT_EQ(attended_pairs(Dense{}, shape), 8 * (n * (n + 1) / 2));
  // Row p sees min(p + 1, 4 + 1000) keys: a triangle of 1004, then 1004 per row.
  EXPECT_EQ(attended_pairs(Band{4, 1000}, shape), 8 * (1004 * 1005 / 2 + (n - 1004) * 1004));

  // One row over everything, at the largest length an int32 index allows.
  shape.q_len = 1;
  shape.kv_len = (std::int64_t{1} << 31) - 1;
  const std::int64_t page = 1 << 16, pages = shape.kv_len / page + 1;
  std::vector<std::int32_t> all(static_cast<std::size_t>(pages));
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::int32_t>(i);
  const std::vector<std::int64_t> begin{0};
  const std::vector<std::int32_t> count{static_cast<std::int32_t>(pages)};
  EXPECT_EQ(attended_pairs(TokenList{1, page, begin, count, all}, shape), 8 * ((std::uint64_t{1} << 31) - 1));

  // Every block of a long prefill: the dense count, from 2^31 and more pairs per block column.
  shape = {.q_heads = 1, .q_len = 1 << 20, .kv_len = 1 << 20};
  const std::vector<std::int64_t> one_list{0, 2};
  const std::vector<std::int32_t> two_blocks{0, 1};
  EXPECT_EQ(attended_pairs(BlockList{1 << 20, 1 << 19, one_list, two_blocks}, shape), n * (n + 1) / 2);
  const std::vector<std::int64_t> columns{0, 1};
  const std::vector<std::int32_t> zero{0};
  EXPECT_EQ(attended_pairs(ColumnList{columns, zero, columns, zero}, shape), 2 * n - 1);  // first key + diagonal
}

}  // namespace
}  // namespace attnscope
