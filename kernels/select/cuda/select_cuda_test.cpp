// SPDX-License-Identifier: Apache-2.0
// select::cuda against brute force in double.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "harness/base/error.hpp"
#include "kernels/attend/cuda/test_support.hpp"
#include "kernels/select/select.hpp"

namespace attnscope::select {
namespace {

using SelectCuda = GpuTest;

struct Rows {
  std::int64_t rows = 0;
  std::int64_t stride = 0;
  std::vector<float> data;
  std::vector<std::int32_t> length;
};

/// Rows of full length, of length 1, and of lengths between; unused entries hold NaN. `levels` > 0 rounds the scores to
/// that many values, for ties.
Rows random_rows(std::int64_t rows, std::int64_t stride, int levels) {
  std::mt19937 generator(11);
  std::normal_distribution<float> normal(0.0f, 3.0f);
  Rows result{rows, stride, std::vector<float>(static_cast<std::size_t>(rows * stride), NAN), {}};
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::int64_t length = r == 0 ? stride : r == 1 ? 1 : 1 + static_cast<std::int64_t>(generator() % stride);
    result.length.push_back(static_cast<std::int32_t>(length));
    for (std::int64_t i = 0; i < length; ++i) {
      const float x = normal(generator);
      // −0 and +0 are one score.
      result.data[r * stride + i] = levels ? std::copysign(std::floor(std::abs(x) * levels / 12), x) : x;
    }
  }
  return result;
}

/// Indices of row r, best first: larger scores, then lower indices.
std::vector<std::int32_t> ranking(const Rows& rows, std::int64_t r) {
  std::vector<std::int32_t> order(static_cast<std::size_t>(rows.length[r]));
  std::iota(order.begin(), order.end(), 0);
  const float* scores = rows.data.data() + r * rows.stride;
  std::ranges::stable_sort(order, [&](std::int32_t a, std::int32_t b) { return scores[a] > scores[b]; });
  return order;
}

/// The lists that `select` makes of `rows`, one vector per row.
template <typename Select>
std::vector<std::vector<std::int32_t>> run(const Rows& rows, std::int64_t capacity, Select select) {
  const Buffer data = to_device(rows.data), length = to_device(rows.length);
  const Buffer indices = device_bytes(static_cast<std::size_t>(rows.rows * capacity) * 4);
  const Buffer count = device_bytes(static_cast<std::size_t>(rows.rows) * 4);
  const Buffer workspace = device_bytes(cuda::workspace_bytes(rows.rows, rows.stride));
  select(Scores{data.as<float>(), rows.rows, rows.stride, length.as<std::int32_t>()},
         Lists{indices.as<std::int32_t>(), count.as<std::int32_t>(), capacity}, workspace.data());
  finish();
  EXPECT_TRUE(indices.guards_intact() && count.guards_intact() && workspace.guards_intact());
  const auto all = to_host<std::int32_t>(indices, rows.rows * capacity);
  const auto counts = to_host<std::int32_t>(count, rows.rows);
  std::vector<std::vector<std::int32_t>> lists;
  for (std::int64_t r = 0; r < rows.rows; ++r)
    lists.emplace_back(all.begin() + r * capacity, all.begin() + r * capacity + counts[r]);
  return lists;
}

/// In the shared memory of a block, of a cluster with its last part short or empty; in chunks; one block per row.
std::vector<Rows> row_sets() {
  std::vector<Rows> sets;
  for (const int levels : {0, 5}) {
    sets.push_back(random_rows(1, 1, levels));
    sets.push_back(random_rows(7, 33, levels));
    sets.push_back(random_rows(5, 8192, levels));
    sets.push_back(random_rows(4, 32768, levels));
    sets.push_back(random_rows(520, 32771, levels));
    sets.push_back(random_rows(4, 100'001, levels));
    sets.push_back(random_rows(3, 320'000, levels));
    sets.push_back(random_rows(2, 400'001, levels));
    sets.push_back(random_rows(1, 3'000'000, levels));
  }
  sets.push_back(random_rows(264, 330'000, 0));
  return sets;
}

TEST_F(SelectCuda, TopKIsTheBestKWithTiesToTheLowestIndex) {
  for (const Rows& rows : row_sets())
    for (const std::int64_t k : {1, 30, 4096, 4'000'000}) {
      SCOPED_TRACE("rows " + std::to_string(rows.rows) + " stride " + std::to_string(rows.stride) + " k " +
                   std::to_string(k));
      const auto lists = run(rows, std::min(k, rows.stride), [&](const Scores& scores, const Lists& out, void* space) {
        cuda::top_k(scores, k, out, space, nullptr);
      });
      for (std::int64_t r = 0; r < std::min<std::int64_t>(rows.rows, 16); ++r) {
        auto expected = ranking(rows, r);
        expected.resize(static_cast<std::size_t>(std::min<std::int64_t>(k, rows.length[r])));
        std::ranges::sort(expected);
        ASSERT_EQ(lists[r], expected) << "row " << r;
      }
    }
}

TEST_F(SelectCuda, TopPIsTheShortestPrefixOfTheRankingWithTheMass) {
  // The kernel takes e^x in fp32, within 2 ulp of the true value, of s − max rounded to fp32: |s − max| < 40 here, so
  // each term is off by less than 40 · 2^−24 + 2^−22 relative to itself, and so is every mass.
  constexpr double kSlack = 3e-6;
  for (const Rows& rows : row_sets())
    for (const double p : {0.01, 0.5, 0.9, 0.999, 1.0}) {
      SCOPED_TRACE("rows " + std::to_string(rows.rows) + " stride " + std::to_string(rows.stride) + " p " +
                   std::to_string(p));
      const auto lists = run(rows, rows.stride, [&](const Scores& scores, const Lists& out, void* space) {
        cuda::top_p(scores, p, out, space, nullptr);
      });
      for (std::int64_t r = 0; r < std::min<std::int64_t>(rows.rows, 16); ++r) {
        const auto order = ranking(rows, r);
        const float* scores = rows.data.data() + r * rows.stride;
        const auto weight = [&](std::int32_t i) { return std::exp(double{scores[i]} - double{scores[order[0]]}); };
        double total = 0, mass = 0;
        for (const std::int32_t i : order) total += weight(i);
        const std::size_t taken = lists[r].size();
        ASSERT_GE(taken, 1u);
        for (std::size_t n = 0; n < taken; ++n) mass += weight(order[n]);
        ASSERT_GE(mass / total, p - kSlack) << "row " << r;
        if (p < 1.0) {
          ASSERT_LT((mass - weight(order[taken - 1])) / total, p + kSlack) << "row " << r;
        } else {
          ASSERT_EQ(taken, order.size()) << "row " << r;
        }
        std::vector<std::int32_t> expected(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(taken));
        std::ranges::sort(expected);
        ASSERT_EQ(lists[r], expected) << "row " << r;
      }
    }
}

TEST_F(SelectCuda, EmptyRowsGiveEmptyLists) {
  for (const std::int64_t stride : {64, 100'000}) {
    const Rows rows{2, stride, std::vector<float>(static_cast<std::size_t>(2 * stride), 1.0f), {0, 0}};
    const auto top_k = run(rows, 8, [](const Scores& scores, const Lists& out, void* space) {
      cuda::top_k(scores, 8, out, space, nullptr);
    });
    const auto top_p = run(rows, stride, [](const Scores& scores, const Lists& out, void* space) {
      cuda::top_p(scores, 0.9, out, space, nullptr);
    });
    for (int r = 0; r < 2; ++r) EXPECT_TRUE(top_k[r].empty() && top_p[r].empty());
  }
}

TEST_F(SelectCuda, TopPTakesNoKeyWithoutMass) {
  for (const std::int64_t stride : {64, 20'000, 400'000}) {
    Rows rows{3, stride, std::vector<float>(static_cast<std::size_t>(3 * stride), -INFINITY), {}};
    rows.length.assign(3, static_cast<std::int32_t>(stride));
    rows.data[stride + stride / 2] = 2.0f;                        // row 1: one key with mass
    rows.data[2 * stride] = rows.data[3 * stride - 1] = -200.0f;  // row 2: two
    const auto lists = run(rows, stride, [](const Scores& scores, const Lists& out, void* space) {
      cuda::top_p(scores, 0.999999, out, space, nullptr);
    });
    EXPECT_TRUE(lists[0].empty()) << "stride " << stride;
    EXPECT_EQ(lists[1], std::vector<std::int32_t>{static_cast<std::int32_t>(stride / 2)});
    EXPECT_EQ(lists[2], (std::vector<std::int32_t>{0, static_cast<std::int32_t>(stride - 1)}));
  }
}

std::vector<Shape> score_shapes() {
  std::vector<Shape> shapes;
  for (const Dtype dtype : {Dtype::bf16, Dtype::f16, Dtype::f32})
    for (const bool causal : {true, false}) {
      shapes.push_back({1, 1, 1, 128, 1, 1, causal, dtype});
      shapes.push_back({2, 8, 2, 128, 1, 2500, causal, dtype});
      shapes.push_back({1, 20, 1, 64, 1, 777, causal, dtype});
      shapes.push_back({1, 4, 2, 128, 100, 2131, causal, dtype});
      shapes.push_back({2, 2, 2, 64, 70, 70, causal, dtype});
    }
  return shapes;
}

TEST_F(SelectCuda, LogitsAreScaledProductsOfTheVisibleKeys) {
  for (const Shape& shape : score_shapes()) {
    const auto q = random_tensor(shape.dtype, shape.q_elements(), 1),
               k = random_tensor(shape.dtype, shape.kv_elements(), 2);
    const Buffer dq = to_device(q), dk = to_device(k);
    const QueryRange range{shape.q_len / 3, std::max<std::int64_t>(shape.q_len / 2, 1)};
    const std::int64_t rows = shape.batch * shape.q_heads * range.count, stride = shape.kv_len + 3;
    const Buffer scores = device_bytes(static_cast<std::size_t>(rows * stride) * 4);
    const Buffer length = device_bytes(static_cast<std::size_t>(rows) * 4);
    cuda::logits({shape, dq.data(), dk.data(), nullptr, 0.25f}, range,
                 {scores.as<float>(), rows, stride, length.as<std::int32_t>()}, length.as<std::int32_t>(), nullptr);
    finish();
    ASSERT_TRUE(scores.guards_intact() && length.guards_intact());
    const auto found = to_host<float>(scores, rows * stride);
    const auto lengths = to_host<std::int32_t>(length, rows);
    for (std::int64_t r = 0; r < rows; ++r) {
      const std::int64_t head = r / range.count, i = range.first + r % range.count;
      ASSERT_EQ(lengths[r], shape.visible(i)) << "row " << r;
      for (std::int64_t j = 0; j < lengths[r]; ++j) {
        double expected = 0, size = 0;
        for (std::int64_t c = 0; c < shape.head_dim; ++c) {
          const double term = 0.25 *
                              load_element(q.data(), shape.dtype, (head * shape.q_len + i) * shape.head_dim + c) *
                              double{load_element(k.data(), shape.dtype,
                                                  (head / shape.group() * shape.kv_len + j) * shape.head_dim + c)};
          expected += term;
          size += std::abs(term);
        }
        // fp32 accumulation of head_dim terms.
        ASSERT_NEAR(found[r * stride + j], expected, size * 0x1p-24 * double(shape.head_dim))
            << "row " << r << " key " << j;
      }
    }
  }
}

TEST_F(SelectCuda, PageBoundsAndScoresEqualTheDefinition) {
  for (const Shape& shape : score_shapes())
    for (const std::int64_t page : {16, 7}) {
      const auto q = random_tensor(shape.dtype, shape.q_elements(), 1),
                 k = random_tensor(shape.dtype, shape.kv_elements(), 2);
      const Buffer dq = to_device(q), dk = to_device(k);
      const std::int64_t pages = (shape.kv_len + page - 1) / page, d = shape.head_dim;
      const std::int64_t bound_elements = shape.batch * shape.kv_heads * pages * 2 * d;
      const Buffer bounds = device_bytes(static_cast<std::size_t>(bound_elements * size_of(shape.dtype)));
      const Buffer scores = device_bytes(static_cast<std::size_t>(shape.rows() * pages) * 4);
      const AttentionInputs in{shape, dq.data(), dk.data(), nullptr, 1.0f};
      cuda::page_bounds(in, {bounds.data(), page, pages}, nullptr);
      cuda::page_scores(in, {bounds.data(), page, pages}, {scores.as<float>(), shape.rows(), pages, nullptr}, nullptr);
      finish();
      ASSERT_TRUE(bounds.guards_intact() && scores.guards_intact());
      const auto found_bounds = to_host<std::byte>(bounds, bound_elements * size_of(shape.dtype));
      const auto found_scores = to_host<float>(scores, shape.rows() * pages);
      for (std::int64_t head = 0; head < shape.batch * shape.kv_heads; ++head)
        for (std::int64_t n = 0; n < pages; ++n)
          for (std::int64_t c = 0; c < d; ++c) {
            float low = INFINITY, high = -INFINITY;
            for (std::int64_t j = n * page; j < std::min((n + 1) * page, shape.kv_len); ++j) {
              const float x = load_element(k.data(), shape.dtype, (head * shape.kv_len + j) * d + c);
              low = std::min(low, x);
              high = std::max(high, x);
            }
            const std::int64_t at = (head * pages + n) * 2 * d + c;
            ASSERT_EQ(load_element(found_bounds.data(), shape.dtype, at), low) << "page " << n << " channel " << c;
            ASSERT_EQ(load_element(found_bounds.data(), shape.dtype, at + d), high) << "page " << n << " channel " << c;
          }
      for (std::int64_t r = 0; r < shape.rows(); ++r)
        for (std::int64_t n = 0; n < pages; ++n) {
          const std::int64_t at = (r / shape.q_len / shape.group() * pages + n) * 2 * d;
          double expected = 0, size = 0;
          for (std::int64_t c = 0; c < d; ++c) {
            const double x = load_element(q.data(), shape.dtype, r * d + c);
            const double term = std::max(x * load_element(found_bounds.data(), shape.dtype, at + c),
                                         x * load_element(found_bounds.data(), shape.dtype, at + d + c));
            expected += term;
            size += std::abs(term);
          }
          ASSERT_NEAR(found_scores[r * pages + n], expected, size * 0x1p-23 * double(d))
              << "row " << r << " page " << n;
        }
    }
}

TEST_F(SelectCuda, LastPageOf2To31ElementsIsReached) {
  std::size_t free_bytes = 0, total_bytes = 0;
  ASSERT_EQ(cudaMemGetInfo(&free_bytes, &total_bytes), cudaSuccess);
  const Shape shape{1, 1, 1, 128, 1, 16'800'000, true, Dtype::bf16};
  if (free_bytes < static_cast<std::size_t>(shape.kv_elements()) * 2 + (2u << 30)) GTEST_SKIP() << "needs 7 GB";
  const auto q = random_tensor(shape.dtype, 128, 1), key = random_tensor(shape.dtype, 128, 2);
  Buffer k(Space::device, static_cast<std::size_t>(shape.kv_elements()) * 2);
  k.zero();
  ASSERT_EQ(cudaMemcpy(k.as<std::byte>() + (shape.kv_len - 1) * 256, key.data(), 256, cudaMemcpyHostToDevice),
            cudaSuccess);
  const Buffer dq = to_device(q);
  const std::int64_t pages = shape.kv_len / 16;
  const Buffer bounds = device_bytes(static_cast<std::size_t>(pages) * 512);
  const Buffer page_scores = device_bytes(static_cast<std::size_t>(pages) * 4);
  const Buffer logits = device_bytes(static_cast<std::size_t>(shape.kv_len) * 4), length = device_bytes(4);
  const AttentionInputs in{shape, dq.data(), k.data(), nullptr, 1.0f};
  cuda::page_bounds(in, {bounds.data(), 16, pages}, nullptr);
  cuda::page_scores(in, {bounds.data(), 16, pages}, {page_scores.as<float>(), 1, pages, nullptr}, nullptr);
  cuda::logits(in, {0, 1}, {logits.as<float>(), 1, shape.kv_len, nullptr}, length.as<std::int32_t>(), nullptr);
  finish();
  double logit = 0, bound = 0;
  for (int c = 0; c < 128; ++c) {
    const double term = double{load_element(q.data(), shape.dtype, c)} * load_element(key.data(), shape.dtype, c);
    logit += term;
    bound += std::max(term, 0.0);  // the other 15 keys of the page are zero
  }
  EXPECT_NEAR(to_host<float>(logits, shape.kv_len).back(), logit, 1e-3);
  EXPECT_NEAR(to_host<float>(page_scores, pages).back(), bound, 1e-3);
  EXPECT_EQ(to_host<float>(logits, shape.kv_len)[0], 0.0f);
}

TEST(SelectCudaContract, ListsThatCannotHoldTheAnswerAreRefused) {
  EXPECT_THROW(cuda::top_k({nullptr, 1, 100, nullptr}, 10, {nullptr, nullptr, 9}, nullptr, nullptr), InputError);
  EXPECT_THROW(cuda::top_p({nullptr, 1, 100, nullptr}, 0.9, {nullptr, nullptr, 99}, nullptr, nullptr), InputError);
}

}  // namespace
}  // namespace attnscope::select
