// SPDX-License-Identifier: Apache-2.0
// Quest's page bounds and the scores made of them.
#include <algorithm>
#include <type_traits>
#include <vector>

#include "harness/base/half.hpp"
#include "kernels/select/cpu/key_rows.hpp"
#include "kernels/select/select.hpp"

// foreach_target.h compiles this file once per instruction set and comes before what it compiles.
// clang-format off
#include "kernels/core/simd_targets.hpp"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/select/cpu/pages.cpp"
#include <hwy/foreach_target.h>

#include "kernels/core/dot-inl.h"
#include "kernels/core/simd-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace attnscope::select {
namespace HWY_NAMESPACE {

using namespace attnscope::HWY_NAMESPACE;  // the vocabulary of this instruction set

// Minima, then maxima of `count` keys, as float: bounds[2 · dim].
void bound_page(const void* k, Dtype dtype, std::int64_t count, std::int64_t dim, float* bounds) {
  const F32 d;
  with_element(dtype, [&](auto type) HWY_ATTR {
    for (std::int64_t c = 0; c < dim; c += kLanes) {
      const auto* row = static_cast<decltype(type)>(k) + c;
      VecF low = widen(row), high = low;
      for (std::int64_t key = 1; key < count; ++key) {
        const VecF value = widen(row + key * dim);
        low = hn::Min(low, value);
        high = hn::Max(high, value);
      }
      hn::StoreU(low, d, bounds + c);
      hn::StoreU(high, d, bounds + dim + c);
    }
  });
}

// Puts query channels into the order that score_pages wants them in.
void order_queries(float* queries, Dtype dtype, std::int64_t elements) {
  with_element(dtype,
               [&](auto type) HWY_ATTR { to_pair_order<std::remove_cvref_t<decltype(*type)>>(queries, elements); });
}

// max(q m, q M) is q M where q ≥ 0 and q m where q < 0, so U is the dot product of [min(q, 0), max(q, 0)] with [m, M]:
// `queries` has those 2 · dim channels, ordered by order_queries.
void score_pages(const float* queries, std::int64_t rows, const void* bounds, Dtype dtype, std::int64_t pages,
                 std::int64_t dim, float* out, std::int64_t stride) {
  with_element(dtype, [&](auto type) HWY_ATTR {
    dot_all(queries, rows, static_cast<decltype(type)>(bounds), pages, 2 * dim, out, stride);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace attnscope::select
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace attnscope::select {

HWY_EXPORT(bound_page);
HWY_EXPORT(order_queries);
HWY_EXPORT(score_pages);

static void bound_page(const void* k, Dtype dtype, std::int64_t count, std::int64_t dim, float* bounds) {
  HWY_DYNAMIC_DISPATCH(bound_page)(k, dtype, count, dim, bounds);
}

static void order_queries(float* queries, Dtype dtype, std::int64_t elements) {
  HWY_DYNAMIC_DISPATCH(order_queries)(queries, dtype, elements);
}

static void score_pages(const float* queries, std::int64_t rows, const void* bounds, Dtype dtype, std::int64_t pages,
                        std::int64_t dim, float* out, std::int64_t stride) {
  HWY_DYNAMIC_DISPATCH(score_pages)(queries, rows, bounds, dtype, pages, dim, out, stride);
}

namespace cpu {

void page_bounds(const AttentionInputs& in, const PageBounds& bounds) {
  const Shape& shape = in.shape;
  const std::int64_t d = shape.head_dim;
#pragma omp parallel
  {
    std::vector<float> page_bounds(static_cast<std::size_t>(2 * d));
    std::vector<std::byte> staging;
#pragma omp for schedule(static)
    for (std::int64_t n = 0; n < shape.batch * shape.kv_heads * bounds.pages; ++n) {
      const std::int64_t head = n / bounds.pages, first = n % bounds.pages * bounds.page;
      const std::int64_t count = std::min(bounds.page, shape.kv_len - first);
      bound_page(consecutive_keys(in, head, first, count, staging), shape.dtype, count, d, page_bounds.data());
      for (std::int64_t c = 0; c < 2 * d; ++c)
        store_element(bounds.data, shape.dtype, n * 2 * d + c, page_bounds[static_cast<std::size_t>(c)]);
    }
  }
}

void page_scores(const AttentionInputs& in, const PageBounds& bounds, Scores scores) {
  constexpr std::int64_t kBlockPages = 256;
  const Shape& shape = in.shape;
  const std::int64_t d = shape.head_dim, rows = shape.group() * shape.q_len;
  const std::int64_t blocks = (bounds.pages + kBlockPages - 1) / kBlockPages;

  // Rows of one KV head are consecutive: heads of the group outer, queries inner.
  std::vector<float> queries(static_cast<std::size_t>(shape.rows() * 2 * d));
  for (std::int64_t r = 0; r < shape.rows(); ++r)
    for (std::int64_t c = 0; c < d; ++c) {
      const float q = load_element(in.q, shape.dtype, r * d + c);
      queries[static_cast<std::size_t>(2 * r * d + c)] = std::min(q, 0.0f);
      queries[static_cast<std::size_t>((2 * r + 1) * d + c)] = std::max(q, 0.0f);
    }
  order_queries(queries.data(), shape.dtype, shape.rows() * 2 * d);
#pragma omp parallel for schedule(dynamic)
  for (std::int64_t unit = 0; unit < shape.batch * shape.kv_heads * blocks; ++unit) {
    const std::int64_t head = unit / blocks, first = unit % blocks * kBlockPages;
    const auto* data =
        static_cast<const std::byte*>(bounds.data) + (head * bounds.pages + first) * 2 * d * size_of(shape.dtype);
    score_pages(queries.data() + head * rows * 2 * d, rows, data, shape.dtype,
                std::min(kBlockPages, bounds.pages - first), d, scores.data + head * rows * scores.stride + first,
                scores.stride);
  }
}

}  // namespace cpu
}  // namespace attnscope::select
#endif  // HWY_ONCE
