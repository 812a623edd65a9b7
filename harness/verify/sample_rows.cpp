// SPDX-License-Identifier: Apache-2.0
#include "harness/verify/sample_rows.hpp"

#include <random>
#include <set>

namespace attnscope {

std::vector<Row> sample_rows(const Shape& shape, std::int64_t count, std::uint64_t seed) {
  const auto row_of = [&](std::int64_t r) {
    return Row{r / (shape.q_heads * shape.q_len), r / shape.q_len % shape.q_heads, r % shape.q_len};
  };
  std::vector<Row> rows;
  if (shape.rows() <= count) {
    for (std::int64_t r = 0; r < shape.rows(); ++r) rows.push_back(row_of(r));
    return rows;
  }
  // mt19937_64 is the same everywhere; the standard distributions are not. A modulus is: its bias does not matter here.
  std::mt19937_64 random(seed);
  const std::int64_t heads = shape.batch * shape.q_heads;
  std::set<std::int64_t> taken;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t first = i * shape.q_len / count;
    const std::int64_t width = std::max<std::int64_t>((i + 1) * shape.q_len / count - first, 1);
    std::int64_t query = first + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(width));
    if (i == count - 1) query = shape.q_len - 1;
    std::int64_t r = i % heads * shape.q_len + query;
    while (!taken.insert(r).second) r = (r + shape.q_len) % shape.rows();  // few queries, many heads: the next head
    rows.push_back(row_of(r));
  }
  return rows;
}

}  // namespace attnscope
