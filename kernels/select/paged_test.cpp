// SPDX-License-Identifier: Apache-2.0
// A paged cache gives bit for bit what a contiguous one gives.
#include "kernels/select/testing.hpp"

namespace attnscope::select {
namespace {

std::vector<Shape> shapes() {
  std::vector<Shape> all;
  for (const Dtype dtype : {Dtype::bf16, Dtype::f16, Dtype::f32})
    for (const std::int64_t page : {1, 16, 256}) {
      all.push_back({.q_heads = 2, .kv_heads = 1, .head_dim = 64, .kv_len = 1, .dtype = dtype, .cache_page = page});
      all.push_back({.batch = 3, .q_heads = 8, .kv_heads = 2, .kv_len = 700, .dtype = dtype, .cache_page = page});
      all.push_back(
          {.batch = 2, .q_heads = 2, .kv_heads = 2, .q_len = 70, .kv_len = 301, .dtype = dtype, .cache_page = page});
    }
  return all;
}

std::vector<float> logits_of(const Queue& on, const AttentionInputs& in) {
  const Shape& shape = in.shape;
  const Buffer scores = room_for<float>(on, shape.rows() * shape.kv_len);
  const Buffer length = room_for<std::int32_t>(on, shape.rows());
  const Scores view{scores.as<float>(), shape.rows(), shape.kv_len, length.as<std::int32_t>()};
  const QueryRange range{0, shape.q_len};
  if (on.backend == Backend::cpu) cpu::logits(in, range, view, length.as<std::int32_t>());
#if ATTNSCOPE_CUDA
  if (on.backend == Backend::cuda) cuda::logits(in, range, view, length.as<std::int32_t>(), on.stream);
#endif
  std::vector<float> found = download<float>(scores);
  for (std::int64_t r = 0; r < shape.rows(); ++r)  // poisoned beyond the visible keys
    std::fill(found.begin() + r * shape.kv_len + shape.visible(r % shape.q_len), found.begin() + (r + 1) * shape.kv_len,
              0.0f);
  return found;
}

std::vector<std::byte> bounds_of(const Queue& on, const AttentionInputs& in, std::int64_t page) {
  const Shape& shape = in.shape;
  const std::int64_t pages = (shape.kv_len + page - 1) / page;
  const Buffer bounds =
      room_for<std::byte>(on, shape.batch * shape.kv_heads * pages * 2 * shape.head_dim * size_of(shape.dtype));
  if (on.backend == Backend::cpu) cpu::page_bounds(in, {bounds.data(), page, pages});
#if ATTNSCOPE_CUDA
  if (on.backend == Backend::cuda) cuda::page_bounds(in, {bounds.data(), page, pages}, on.stream);
#endif
  return download<std::byte>(bounds);
}

TEST(PagedCache, GivesTheLogitsAndPageBoundsOfAContiguousOne) {
  for (const Shape& shape : shapes()) {
    const Problem scattered(shape);
    Shape plain = shape;
    plain.cache_page = 0;
    const Problem contiguous(plain);
    on_every_backend([&](const Queue& on) {
      const UploadedProblem paged(on, scattered), whole(on, contiguous);
      ASSERT_NE(paged.inputs().page_table, nullptr);
      ASSERT_EQ(logits_of(on, paged.inputs()), logits_of(on, whole.inputs())) << "page " << shape.cache_page;
      for (const std::int64_t page : {1, 7, 16, 64})
        ASSERT_EQ(bounds_of(on, paged.inputs(), page), bounds_of(on, whole.inputs(), page)) << "page " << page;
    });
  }
}

}  // namespace
}  // namespace attnscope::select
