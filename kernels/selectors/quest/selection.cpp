// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "kernels/compose/exact.hpp"
#include "kernels/selectors/quest/pages.hpp"

namespace attnscope::quest {
namespace {

void append_page(std::int64_t page, std::int64_t index, std::int64_t kv_len, std::vector<std::int32_t>& keys) {
  for (std::int64_t key = index * page; key < std::min((index + 1) * page, kv_len); ++key)
    keys.push_back(static_cast<std::int32_t>(key));
}

// U(page) = Σ_c max(q_c m_c, q_c M_c) with m_c, M_c the least and largest k_c of the page: no key of it scores higher.
// The bounds are elements of K, so only the sum is rounded, like a dot product of the same length.
std::vector<compose::Bounded> page_scores(const AttentionInputs& host, const Pages& pages, const Row& row) {
  const Shape& shape = host.shape;
  const std::int64_t d = shape.head_dim;
  const std::int64_t first_key = (row.batch * shape.kv_heads + row.head / shape.group()) * shape.kv_len;
  std::vector<double> q(d), k(d);
  compose::load(host.q, shape.dtype, ((row.batch * shape.q_heads + row.head) * shape.q_len + row.query) * d, q);

  std::vector<compose::Bounded> scores(pages.ranked());
  for (std::int64_t index = 0; index < pages.ranked(); ++index) {
    std::vector<double> smallest(d, INFINITY), largest(d, -INFINITY);
    for (std::int64_t j = index * pages.page; j < (index + 1) * pages.page; ++j) {
      compose::load(host.k, shape.dtype, (first_key + j) * d, k);
      for (std::int64_t c = 0; c < d; ++c) {
        smallest[c] = std::min(smallest[c], k[c]);
        largest[c] = std::max(largest[c], k[c]);
      }
    }
    double magnitude = 0;
    for (std::int64_t c = 0; c < d; ++c) {
      const double term = std::max(q[c] * smallest[c], q[c] * largest[c]);
      scores[index].value += term;
      magnitude += std::abs(term);
    }
    scores[index].error = magnitude * compose::dot_error(d);
  }
  return scores;
}

}  // namespace

Pages pages_of(const Shape& shape, const Params& params) {
  const std::int64_t page = params.integer("page");
  return {.page = page,
          .total = (shape.kv_len + page - 1) / page,
          .budget = std::max(params.integer("budget") / page, std::int64_t{1})};
}

RowSelection select_row(const AttentionInputs& host, const Pages& pages, const Row& row) {
  const std::int64_t kv_len = host.shape.kv_len;
  RowSelection selection;
  if (pages.keeps_all()) {
    for (std::int64_t index = 0; index < pages.total; ++index) append_page(pages.page, index, kv_len, selection.keys);
    return selection;
  }
  const compose::Choice choice = compose::largest(page_scores(host, pages, row), pages.budget - 1);
  for (const std::int64_t index : choice.certain) append_page(pages.page, index, kv_len, selection.keys);
  append_page(pages.page, pages.ranked(), kv_len, selection.keys);
  for (const std::int64_t index : choice.open) append_page(pages.page, index, kv_len, selection.borderline);
  selection.borderline_min = selection.borderline_max = choice.take * pages.page;  // ranked pages are full
  return selection;
}

}  // namespace attnscope::quest
