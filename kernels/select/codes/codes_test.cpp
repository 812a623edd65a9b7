// SPDX-License-Identifier: Apache-2.0
// Product codes by hand, over many blocks, and wherever the cache lies.
#include <gmock/gmock.h>

#include <array>
#include <numeric>

#include "kernels/select/product_codes.hpp"
#include "kernels/select/testing.hpp"

namespace attnscope::select {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

/// What a built index and one step of it leave behind.
struct Step {
  std::vector<std::uint16_t> codes;
  std::vector<std::int32_t> counts;
  std::vector<std::byte> centroids;
  HostLists lists;
};

Step take_step(const Queue& on, const Problem& problem, const CodePlan& plan) {
  const UploadedProblem uploaded(on, problem);
  const Points points{.in = uploaded.inputs(), .first = plan.first, .keys = plan.keys, .parts = plan.parts};
  const std::int64_t heads = points.heads();
  const ProductCodes index(on, points, plan);
  build_codes(on, points, plan, index);

  const auto engine = make_code_engine(on);
  const Buffer marks = room_for<std::uint8_t>(on, heads * plan.codes()), ties = room_for<std::int32_t>(on, heads);
  const Buffer workspace = room_for<std::byte>(on, static_cast<std::int64_t>(engine->list_workspace(plan, heads)));
  Buffer indices = room_for<std::int32_t>(on, heads * (plan.choose + 2));
  engine->rank(uploaded.inputs(), plan, index, marks.as<std::uint8_t>(), ties.as<std::int32_t>());
  engine->list(plan, heads, index, marks.as<std::uint8_t>(), ties.as<std::int32_t>(),
               {indices.as<std::int32_t>(), nullptr, plan.choose + 2}, 1, workspace.data());

  Step step{.codes = download<std::uint16_t>(index.codes),
            .counts = download<std::int32_t>(index.counts),
            .centroids = download<std::byte>(index.centroids),
            .lists = {}};
  const auto all = download<std::int32_t>(indices);
  for (std::int64_t head = 0; head < heads; ++head) {
    const auto first = all.begin() + head * (plan.choose + 2);
    EXPECT_EQ(*first, -1);  // before and behind the chosen keys nothing is written
    EXPECT_EQ(first[plan.choose + 1], -1);
    step.lists.emplace_back(first + 1, first + 1 + plan.choose);
  }
  return step;
}

constexpr CodePlan kTwoParts{
    .first = 1, .keys = 6, .candidates = 5, .choose = 3, .parts = 2, .bits = 1, .iterations = 2};

/// One head of 64 channels in two parts; a key is (a in channel 0, b in channel 32), and so is the query.
Problem two_numbers(const std::vector<std::array<float, 2>>& keys, Dtype dtype = Dtype::f32) {
  const Shape shape{.head_dim = 64, .q_len = 1, .kv_len = std::ssize(keys), .dtype = dtype};
  Problem problem(shape);
  for (std::int64_t i = 0; i < shape.kv_elements(); ++i)
    problem.set_k(i, i % 32 == 0 ? keys[i / 64][i % 64 / 32] : 0.0f);
  return problem;
}

TEST(ProductCodes, ByHand) {
  // Behind the first key: seeds are keys 2 and 5, (1, 9) and (7, 1). The first part tells 1..2 from 7..8, the second 9
  // from 1..3; the last key has a code but is no candidate.
  const Problem problem = two_numbers({{5, 5}, {2, 9}, {1, 9}, {8, 2}, {2, 3}, {7, 1}, {1, 9}});
  on_every_backend([&](const Queue& on) {
    const Step step = take_step(on, problem, kTwoParts);
    EXPECT_THAT(step.codes, ElementsAre(0, 0, 3, 2, 3, 0));
    EXPECT_THAT(step.counts, ElementsAre(2, 0, 1, 2));
    const auto* centroids = reinterpret_cast<const float*>(step.centroids.data());
    EXPECT_FLOAT_EQ(centroids[0], 6.0f / 4);  // 2, 1, 2, 1
    EXPECT_FLOAT_EQ(centroids[32], 7.5f);     // 8, 7
    EXPECT_FLOAT_EQ(centroids[64], 9);        // 9, 9, 9
    EXPECT_FLOAT_EQ(centroids[96], 2);        // 2, 3, 1
  });
}

TEST(ProductCodes, TheBestCodesAndOfEqualOnesTheFirstKeys) {
  // All keys alike but the third and the last two: three codes.
  std::vector<std::array<float, 2>> keys(7, {0, 0});
  keys[2] = {4, 0};
  keys[5] = {0, 4};
  Problem problem = two_numbers(keys);
  on_every_backend([&](const Queue& on) {
    const double along = problem.q(0, 0), across = problem.q(0, 32);
    // The keys at 0 have score 0, the third 4 · q_0, the sixth 4 · q_32.
    std::vector<std::int32_t> order{1, 3, 4};
    if (across > 0) order.insert(order.begin(), 5);
    if (across <= 0) order.push_back(5);
    if (along > 0) order.insert(order.begin(), 2);
    if (along <= 0) order.push_back(2);
    order.resize(3);
    std::ranges::sort(order);
    EXPECT_THAT(take_step(on, problem, kTwoParts).lists, ElementsAre(ElementsAreArray(order)));
  });
}

TEST(ProductCodes, EqualKeysAreChosenInOrderOverManyBlocks) {
  const Shape shape{.batch = 2, .head_dim = 64, .q_len = 1, .kv_len = 40'001, .dtype = Dtype::bf16};
  Problem problem(shape);
  for (std::int64_t i = 0; i < shape.kv_elements(); ++i) problem.set_k(i, 1);
  const CodePlan plan{.first = 1, .keys = 40'000, .candidates = 39'000, .choose = 20'000, .iterations = 1};
  std::vector<std::int32_t> first(20'000);
  std::iota(first.begin(), first.end(), 1);
  on_every_backend([&](const Queue& on) {
    EXPECT_THAT(take_step(on, problem, plan).lists, ElementsAre(ElementsAreArray(first), ElementsAreArray(first)));
  });
}

TEST(ProductCodes, NothingOrEverythingChosen) {
  const Problem problem({.q_heads = 2, .kv_heads = 1, .head_dim = 64, .q_len = 1, .kv_len = 300});
  on_every_backend([&](const Queue& on) {
    CodePlan plan{.first = 3, .keys = 297, .candidates = 200, .choose = 0};
    EXPECT_THAT(take_step(on, problem, plan).lists, ElementsAre(ElementsAre()));
    plan.choose = 200;
    std::vector<std::int32_t> all(200);
    std::iota(all.begin(), all.end(), 3);
    EXPECT_THAT(take_step(on, problem, plan).lists, ElementsAre(ElementsAreArray(all)));
  });
}

TEST(ProductCodes, EveryPartHasItsNearestCentroid) {
  for (const Dtype dtype : {Dtype::f32, Dtype::f16, Dtype::bf16})
    for (const std::int64_t bits : {1, 6}) {
      const Shape shape{.head_dim = 128, .q_len = 1, .kv_len = 500, .dtype = dtype};
      const Problem problem(shape);
      const CodePlan plan{.first = 3, .keys = 497, .candidates = 400, .choose = 5, .bits = bits, .iterations = 2};
      on_every_backend([&](const Queue& on) {
        const Step step = take_step(on, problem, plan);
        for (std::int64_t i = 0; i < 2 * plan.keys; ++i) {
          const std::int64_t key = i / 2, part = i % 2, own = step.codes[key] >> part * bits & (plan.centroids() - 1);
          double nearest = INFINITY, found = INFINITY, magnitude = 0;
          for (std::int64_t c = 0; c < plan.centroids(); ++c) {
            double distance = 0, norms = 0;
            for (std::int64_t e = 0; e < 64; ++e) {
              const double x = problem.k(0, plan.first + key, part * 64 + e);
              const double y = load_element(step.centroids.data(), dtype, ((part * plan.centroids() + c) * 64) + e);
              distance += (x - y) * (x - y);
              norms += x * x + y * y;
            }
            nearest = std::min(nearest, distance);
            magnitude = std::max(magnitude, norms);
            if (c == own) found = distance;
          }
          // Half the distance is a sum of 65 terms that |x|² + |c|² bounds; both candidates are rounded.
          ASSERT_LE(found, nearest + 4 * 84 * 0x1p-23 * magnitude) << "key " << key << " part " << part;
        }
      });
    }
}

TEST(ProductCodes, RoundsBringCentroidsNearer) {
  const Shape shape{.batch = 2, .head_dim = 128, .q_len = 1, .kv_len = 3000, .dtype = Dtype::bf16};
  const Problem problem(shape);
  on_every_backend([&](const Queue& on) {
    double before = INFINITY;
    for (const std::int64_t rounds : {1, 3, 10}) {
      const Step step = take_step(on, problem, {.keys = 3000, .candidates = 2900, .choose = 10, .iterations = rounds});
      double error = 0;
      for (std::int64_t head = 0; head < 2; ++head)
        for (std::int64_t key = 0; key < 3000; ++key)
          for (std::int64_t c = 0; c < 128; ++c) {
            const std::int64_t part = c / 64, own = step.codes[head * 3000 + key] >> part * 6 & 63;
            const double centroid =
                load_element(step.centroids.data(), Dtype::bf16, ((head * 2 + part) * 64 + own) * 64 + c % 64);
            error += std::pow(problem.k(head, key, c) - centroid, 2);
          }
      EXPECT_LT(error, before);
      before = error;
    }
  });
}

TEST(ProductCodes, AreTheSameBitsEveryTimeAndWhereverTheCacheLies) {
  Shape shape{.batch = 2, .q_heads = 8, .kv_heads = 2, .head_dim = 128, .q_len = 1, .kv_len = 2001};
  const Problem contiguous(shape);
  shape.cache_page = 64;
  const Problem paged(shape);
  const CodePlan plan{.first = 32, .keys = 1969, .candidates = 1871, .choose = 98, .iterations = 4};
  on_every_backend([&](const Queue& on) {
    const Step first = take_step(on, contiguous, plan);
    for (const Problem* problem : {&contiguous, &paged}) {
      const Step again = take_step(on, *problem, plan);
      EXPECT_EQ(again.codes, first.codes);
      EXPECT_EQ(again.counts, first.counts);
      EXPECT_EQ(again.centroids, first.centroids);
      EXPECT_EQ(again.lists, first.lists);
    }
  });
}

}  // namespace
}  // namespace attnscope::select
