// SPDX-License-Identifier: Apache-2.0
// k-means by hand, against its own definition in double, and what decoding makes of the clusters.
#include "kernels/select/clusters.hpp"

#include <gmock/gmock.h>

#include <array>

#include "kernels/select/testing.hpp"

namespace attnscope::select {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

/// A built index on the host.
struct Built {
  std::vector<float> mean, directions, bias, centroids, values;
  std::vector<std::int32_t> assignment, begin, members;
};

std::vector<float> as_floats(const Buffer& buffer, Dtype dtype) {
  const auto bytes = download<std::byte>(buffer);
  std::vector<float> values(bytes.size() / size_of(dtype));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = load_element(bytes.data(), dtype, static_cast<std::int64_t>(i));
  return values;
}

Built build(const Queue& on, const Problem& problem, const ClusterPlan& plan) {
  const UploadedProblem uploaded(on, problem);
  Points points{.in = uploaded.inputs(), .first = plan.first, .keys = plan.keys};
  if (points.in.v == nullptr) points.in.v = points.in.k;
  const Clusters clusters(on, points, plan);
  build_clusters(on, points, plan, clusters);
  const Dtype dtype = points.in.shape.dtype;
  EXPECT_TRUE(clusters.workspace.guards_intact());
  return {.mean = download<float>(clusters.mean),
          .directions = as_floats(clusters.directions, dtype),
          .bias = download<float>(clusters.bias),
          .centroids = as_floats(clusters.centroids, dtype),
          .values = as_floats(clusters.values, dtype),
          .assignment = download<std::int32_t>(clusters.assignment),
          .begin = download<std::int32_t>(clusters.begin),
          .members = download<std::int32_t>(clusters.members)};
}

/// One head whose keys have these first two channels and are 0 in the other 62.
Problem two_channels(const std::vector<std::array<float, 2>>& keys, Dtype dtype = Dtype::f32) {
  const Shape shape{.head_dim = 64, .q_len = 1, .kv_len = std::ssize(keys), .dtype = dtype};
  Problem problem(shape);
  for (std::int64_t i = 0; i < shape.kv_elements(); ++i) problem.set_k(i, i % 64 < 2 ? keys[i / 64][i % 64] : 0.0f);
  return problem;
}

TEST(Clusters, ByHand) {
  // Key 0 is not clustered. The mean of the others is (2, 3); less that they point up and down in turns, and the seeds,
  // the second and the fifth of them, point down and up.
  const Problem problem = two_channels({{9, 9}, {2, 4}, {2, 2}, {1, 5}, {3, 1}, {2, 6}, {2, 0}});
  on_every_backend([&](const Queue& on) {
    const Built built = build(on, problem, {.first = 1, .keys = 6, .clusters = 2, .iterations = 3});
    EXPECT_THAT(std::vector(built.mean.begin(), built.mean.begin() + 2), ElementsAre(2, 3));
    EXPECT_THAT(built.assignment, ElementsAre(1, 0, 1, 0, 1, 0));
    EXPECT_THAT(built.begin, ElementsAre(0, 3, 6));
    EXPECT_THAT(built.members, ElementsAre(1, 3, 5, 0, 2, 4));
    EXPECT_FLOAT_EQ(built.centroids[0], 7.0f / 3);
    EXPECT_FLOAT_EQ(built.centroids[1], 1);
    EXPECT_FLOAT_EQ(built.centroids[64], 5.0f / 3);
    EXPECT_FLOAT_EQ(built.centroids[65], 5);
    EXPECT_EQ(built.values, built.centroids);  // the test's values are its keys
    // (7/3, 1) less (2, 3), at norm 1.
    EXPECT_NEAR(built.directions[0], 1 / std::sqrt(37), 1e-6);
    EXPECT_NEAR(built.directions[1], -6 / std::sqrt(37), 1e-6);
  });
}

TEST(Clusters, EqualScoresGoToTheLowestAndEmptyOnesKeepTheirDirection) {
  const Problem problem = two_channels({{1, 0}, {1, 0}, {-1, 0}, {-1, 0}});
  on_every_backend([&](const Queue& on) {
    ClusterPlan plan{.keys = 4, .clusters = 2, .iterations = 1};
    EXPECT_THAT(build(on, problem, plan).assignment, ElementsAre(0, 0, 1, 1));  // seeds are keys 1 and 3
    // Less their mean all keys are 0, and so are all scores.
    const Problem same = two_channels({{1, 0}, {1, 0}, {1, 0}, {1, 0}});
    const Built built = build(on, same, plan);
    EXPECT_THAT(built.assignment, Each(0));
    EXPECT_THAT(built.begin, ElementsAre(0, 4, 4));
    EXPECT_EQ(built.centroids[64], 1);  // the mean plus its direction, which is 0
    EXPECT_EQ(built.values[64], 0);
  });
}

TEST(Segments, CoverAllPointsAndClusters) {
  for (const std::int64_t points : {1, 7, 8192, 24577})
    for (const std::int64_t count : {1, 3, 7}) {
      if (points < count) continue;
      const Segments segments{.points = points, .clusters = 8 * count, .count = count};
      std::int64_t next = 0;
      for (std::int64_t s = 0; s < count; ++s) {
        EXPECT_EQ(segments.points_of(s).begin, next);
        next = segments.points_of(s).end;
      }
      EXPECT_EQ(next, points);
      EXPECT_EQ(segments.clusters_each(), 8);
      for (std::int64_t c = 0; c < segments.clusters; ++c) EXPECT_LT(seed_point(c, points, segments.clusters), points);
    }
}

/// Every fifth key is with the direction whose product with it, less the mean, is largest, to within `slack`.
void expect_best(const Problem& problem, const ClusterPlan& plan, const Built& built, double slack) {
  const Shape shape = problem.host().shape;
  const Segments segments = plan.segments_of(plan.iterations - 1);
  for (std::int64_t head = 0; head < shape.batch * shape.kv_heads; ++head)
    for (std::int64_t s = 0; s < segments.count; ++s)
      for (std::int64_t key = segments.points_of(s).begin; key < segments.points_of(s).end; key += 5) {
        const auto score = [&](std::int64_t c) {
          double sum = 0;
          for (std::int64_t i = 0; i < shape.head_dim; ++i)
            sum += (double{problem.k(head, plan.first + key, i)} - built.mean[head * shape.head_dim + i]) *
                   built.directions[(head * plan.clusters + c) * shape.head_dim + i];
          return sum;
        };
        const std::int64_t first = s * segments.clusters_each();
        const std::int32_t own = built.assignment[head * plan.keys + key];
        ASSERT_GE(own, first);
        ASSERT_LT(own, first + segments.clusters_each());
        double best = -INFINITY;
        for (std::int64_t c = first; c < first + segments.clusters_each(); ++c) best = std::max(best, score(c));
        ASSERT_GE(score(own), best - slack) << "head " << head << " key " << key;
      }
}

const Shape kShapes[] = {
    {.q_heads = 2, .kv_heads = 1, .head_dim = 64, .q_len = 1, .kv_len = 333, .dtype = Dtype::f32},
    {.batch = 2, .q_heads = 2, .kv_heads = 2, .head_dim = 128, .q_len = 1, .kv_len = 601, .dtype = Dtype::bf16},
    {.batch = 2,
     .q_heads = 2,
     .kv_heads = 2,
     .head_dim = 64,
     .q_len = 1,
     .kv_len = 601,
     .dtype = Dtype::f16,
     .cache_page = 16}};

// |x·c| sums 128 products of N(0, 1) with a unit vector: below 16 with room, at 2^-23 · 162 (dot_error) of it.
constexpr double kSlack = 2 * 16 * 162 * 0x1p-23;

TEST(Clusters, KeysAreWithTheirBestDirection) {
  for (const Shape& shape : kShapes)
    for (const bool global : {false, true})
      for (const std::int64_t segments : {1, 3}) {
        const Problem problem(shape);
        const ClusterPlan plan{.first = 5,
                               .keys = shape.kv_len - 12,
                               .clusters = 24,
                               .segments = segments,
                               .iterations = 4,
                               .global = global};
        on_every_backend([&](const Queue& on) { expect_best(problem, plan, build(on, problem, plan), kSlack); });
      }
}

TEST(Clusters, ManyMoreThanATileOfThem) {
  const Shape shape{.head_dim = 128, .q_len = 1, .kv_len = 1500, .dtype = Dtype::bf16};
  const Problem problem(shape);
  const ClusterPlan plan{.keys = 1500, .clusters = 600, .iterations = 2};
  on_every_backend([&](const Queue& on) { expect_best(problem, plan, build(on, problem, plan), kSlack); });
}

TEST(Clusters, MembersAndAveragesFollowFromTheAssignment) {
  for (const Shape& shape : kShapes) {
    const Problem problem(shape);
    const std::int64_t dim = shape.head_dim;
    const ClusterPlan plan{.first = 3, .keys = shape.kv_len - 3, .clusters = 8, .iterations = 2};
    on_every_backend([&](const Queue& on) {
      const Built built = build(on, problem, plan);
      for (std::int64_t at = 0; at < shape.batch * shape.kv_heads * plan.clusters; ++at) {
        const std::int64_t head = at / plan.clusters, cluster = at % plan.clusters;
        const std::int32_t* ends = built.begin.data() + head * (plan.clusters + 1) + cluster;
        std::vector<std::int32_t> expected;
        for (std::int32_t key = 0; key < plan.keys; ++key)
          if (built.assignment[head * plan.keys + key] == cluster) expected.push_back(key);
        const auto first = built.members.begin() + head * plan.keys;
        ASSERT_THAT(std::vector(first + ends[0], first + ends[1]), ElementsAreArray(expected));
        if (expected.empty()) continue;
        for (std::int64_t c = 0; c < dim; ++c) {
          double sum = 0, magnitude = 0;
          for (const std::int32_t key : expected) {
            sum += problem.k(head, plan.first + key, c);
            magnitude += std::abs(problem.k(head, plan.first + key, c));
          }
          const auto n = static_cast<double>(expected.size());
          const double tolerance = unit_roundoff(shape.dtype) * std::abs(sum / n) + (n + 2) * 0x1p-24 * magnitude / n;
          ASSERT_NEAR(built.centroids[at * dim + c], sum / n, tolerance + 0x1p-25);
        }
      }
    });
  }
}

TEST(Clusters, ALargeClusterIsAveragedByATeamOfWarps) {
  const Shape shape{.head_dim = 64, .q_len = 1, .kv_len = 5000, .dtype = Dtype::f32};
  const Problem problem(shape);
  on_every_backend([&](const Queue& on) {
    const Built built = build(on, problem, {.keys = 5000, .clusters = 1, .iterations = 1});
    for (std::int64_t c = 0; c < 64; ++c) {
      double sum = 0, magnitude = 0;
      for (std::int64_t key = 0; key < 5000; ++key) {
        sum += problem.k(0, key, c);
        magnitude += std::abs(problem.k(0, key, c));
      }
      EXPECT_NEAR(built.centroids[c], sum / 5000, 5002 * 0x1p-24 * magnitude / 5000);
    }
  });
}

TEST(Clusters, AreTheSameBitsEveryTimeAndWhereverTheCacheLies) {
  Shape shape{.batch = 2, .q_heads = 2, .kv_heads = 2, .head_dim = 128, .q_len = 1, .kv_len = 777};
  const Problem contiguous(shape);
  shape.cache_page = 32;
  const Problem paged(shape);
  const ClusterPlan plan{.first = 4, .keys = 700, .clusters = 40, .segments = 5, .iterations = 5};
  on_every_backend([&](const Queue& on) {
    const Built first = build(on, contiguous, plan);
    for (const Problem* problem : {&contiguous, &paged}) {
      const Built again = build(on, *problem, plan);
      EXPECT_EQ(again.assignment, first.assignment);
      EXPECT_EQ(again.members, first.members);
      EXPECT_EQ(again.directions, first.directions);
      EXPECT_EQ(again.centroids, first.centroids);
      EXPECT_EQ(again.values, first.values);
    }
  });
}

Lists as_lists(const UploadedLists& lists, std::int64_t capacity) {
  const TokenList view = lists.view();
  return {const_cast<std::int32_t*>(view.indices.data()), const_cast<std::int32_t*>(view.count.data()), capacity};
}

/// Clusters {0, 4}, {}, {1, 2, 3} of five keys in two rows, the second with {4}, {0, 1, 2, 3}, {}.
struct SmallIndex {
  ClusterPlan plan{.first = 2, .keys = 5, .clusters = 3};
  Buffer begin, members;

  explicit SmallIndex(const Queue& on)
      : begin(upload<std::int32_t>(on, {0, 2, 2, 5, 0, 1, 5, 5})),
        members(upload<std::int32_t>(on, {0, 4, 1, 2, 3, 4, 0, 1, 2, 3})) {}
};

TEST(ClusterLists, NameTheKeysOfTheListedClustersAndThoseAround) {
  on_every_backend([&](const Queue& on) {
    const SmallIndex index(on);
    const UploadedLists listed(on, {{0, 1}, {1, 2}}, 1, 1);
    const auto lists = make_cluster_lists(on);
    const OutputLists keys(on, 2, 9);
    const Buffer workspace = room_for<std::byte>(on, static_cast<std::int64_t>(lists->members_workspace(2, 9)));
    lists->members(index.plan, 2, 9, index.begin.as<std::int32_t>(), index.members.as<std::int32_t>(),
                   as_lists(listed, 2), keys.view(), workspace.data());
    EXPECT_THAT(keys.read(), ElementsAre(ElementsAre(0, 1, 2, 6, 7, 8), ElementsAre(0, 1, 2, 3, 4, 5, 7, 8)));
    EXPECT_TRUE(workspace.guards_intact());
  });
}

TEST(ClusterLists, AreAscendingOverManyChunks) {
  // Every third key is in cluster 0: more keys than the GPU orders in one block.
  constexpr std::int32_t kKeys = 100'000;
  std::vector<std::int32_t> members, expected;
  for (std::int32_t key = 0; key < kKeys; key += 3) members.push_back(key);
  const auto in_first = static_cast<std::int32_t>(members.size());
  for (std::int32_t key = 0; key < kKeys; ++key)
    if (key % 3 != 0) members.push_back(key);
  expected.push_back(0);
  for (std::int32_t key = 0; key < kKeys; key += 3) expected.push_back(key + 1);
  expected.push_back(kKeys + 1);
  on_every_backend([&](const Queue& on) {
    const Buffer begin = upload<std::int32_t>(on, {0, in_first, kKeys}), all = upload(on, members);
    const UploadedLists listed(on, {{0}}, 1, 1);
    const auto lists = make_cluster_lists(on);
    const OutputLists keys(on, 1, kKeys + 2);
    const Buffer workspace = room_for<std::byte>(on, static_cast<std::int64_t>(lists->members_workspace(1, kKeys + 2)));
    lists->members({.first = 1, .keys = kKeys, .clusters = 2}, 1, kKeys + 2, begin.as<std::int32_t>(),
                   all.as<std::int32_t>(), as_lists(listed, 1), keys.view(), workspace.data());
    EXPECT_THAT(keys.read(), ElementsAre(ElementsAreArray(expected)));
  });
}

TEST(ClusterLists, WhatRemainsLeavesOutListedAndEmptyClusters) {
  on_every_backend([&](const Queue& on) {
    const SmallIndex index(on);
    const UploadedLists listed(on, {{0}, {2}}, 1, 1), wider(on, {{0, 1, 2}, {0, 1, 2}}, 1, 1);
    const OutputLists rest(on, 2, 2);
    const Buffer log_size = room_for<float>(on, 4);
    make_cluster_lists(on)->remaining(index.plan, 2, index.begin.as<std::int32_t>(), as_lists(listed, 1),
                                      as_lists(wider, 3), rest.view(), log_size.as<float>());
    EXPECT_THAT(rest.read(), ElementsAre(ElementsAre(2), ElementsAre(0, 1)));
    const auto weights = download<float>(log_size);
    EXPECT_FLOAT_EQ(weights[0], std::log(3.0f));
    EXPECT_EQ(weights[2], 0);
    EXPECT_FLOAT_EQ(weights[3], std::log(4.0f));
  });
}

TEST(ClusterLists, WhatRemainsOfThousands) {
  std::mt19937 random(2);
  std::vector<std::int32_t> begin{0}, wider, listed, expected;
  for (std::int32_t c = 0; c < 9000; ++c) {
    const auto size = static_cast<std::int32_t>(random() % 3);
    begin.push_back(begin.back() + size);
    if (random() % 4 == 0) continue;
    wider.push_back(c);
    if (random() % 10 == 0)
      listed.push_back(c);
    else if (size > 0)
      expected.push_back(c);
  }
  on_every_backend([&](const Queue& on) {
    const Buffer ends = upload(on, begin), all = upload(on, wider), some = upload(on, listed);
    const Buffer counts =
        upload<std::int32_t>(on, {static_cast<std::int32_t>(wider.size()), static_cast<std::int32_t>(listed.size())});
    const OutputLists rest(on, 1, std::ssize(wider));
    const Buffer log_size = room_for<float>(on, std::ssize(wider));
    make_cluster_lists(on)->remaining({.keys = begin.back(), .clusters = 9000}, 1, ends.as<std::int32_t>(),
                                      {some.as<std::int32_t>(), counts.as<std::int32_t>() + 1, std::ssize(listed)},
                                      {all.as<std::int32_t>(), counts.as<std::int32_t>(), std::ssize(wider)},
                                      rest.view(), log_size.as<float>());
    EXPECT_THAT(rest.read(), ElementsAre(ElementsAreArray(expected)));
  });
}

TEST(ClusterLists, MaskOnlyEmptyClusters) {
  on_every_backend([&](const Queue& on) {
    const SmallIndex index(on);
    const Buffer scores = upload<float>(on, {1, 2, 3, NAN, 4, 5, 6, NAN});
    make_cluster_lists(on)->mask_empty(index.plan, index.begin.as<std::int32_t>(),
                                       {.data = scores.as<float>(), .rows = 2, .stride = 4});
    const auto masked = download<float>(scores);
    EXPECT_THAT(std::vector(masked.begin(), masked.begin() + 3), ElementsAre(1, -INFINITY, 3));
    EXPECT_THAT(std::vector(masked.begin() + 4, masked.begin() + 7), ElementsAre(4, 5, -INFINITY));
  });
}

}  // namespace
}  // namespace attnscope::select
