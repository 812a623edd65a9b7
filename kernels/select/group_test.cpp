// SPDX-License-Identifier: Apache-2.0
// Unions and sums over the query heads of a group, against sets and sums in double.
#include <gmock/gmock.h>

#include <set>

#include "harness/base/error.hpp"
#include "kernels/select/group_sum.hpp"
#include "kernels/select/group_union.hpp"
#include "kernels/select/testing.hpp"

namespace attnscope::select {
namespace {

using ::testing::ElementsAre;

HostLists unite(const Queue& on, const Shape& shape, const HostLists& lists, std::int64_t page) {
  const UploadedLists uploaded(on, lists, shape.q_heads, page);
  const OutputLists unions(on, shape.batch * shape.kv_heads, (shape.kv_len + page - 1) / page);
  const Buffer workspace =
      room_for<std::byte>(on, static_cast<std::int64_t>(group_union_workspace(on, shape, uploaded.view())));
  group_union(on, shape, uploaded.view(), unions.view(), workspace.data());
  EXPECT_TRUE(workspace.guards_intact());
  return unions.read();
}

TEST(GroupUnion, MergesTheListsOfAGroup) {
  const Shape shape{.batch = 1, .q_heads = 4, .kv_heads = 2, .kv_len = 100};
  on_every_backend([&](const Queue& on) {
    EXPECT_THAT(unite(on, shape, {{1, 64, 99}, {0, 1, 63}, {}, {5}}, 1),
                ElementsAre(ElementsAre(0, 1, 63, 64, 99), ElementsAre(5)));
    EXPECT_THAT(unite(on, shape, {{}, {}, {}, {}}, 1), ElementsAre(ElementsAre(), ElementsAre()));
  });
}

TEST(GroupUnion, IsTheSetOfAllKeysOrPagesListed) {
  std::mt19937 random(3);
  for (const std::int64_t kv_len : {1, 17, 8192, 8193, 40'000})
    for (const std::int64_t page : {1, 16})
      for (const double density : {0.001, 0.3, 1.0}) {
        const Shape shape{.batch = 3, .q_heads = 8, .kv_heads = 2, .kv_len = kv_len};
        std::bernoulli_distribution listed(density);
        HostLists lists(24);
        std::vector<std::set<std::int32_t>> expected(6);
        for (std::size_t r = 0; r < lists.size(); ++r)
          for (std::int32_t i = 0; i < (kv_len + page - 1) / page; ++i)
            if (listed(random)) {
              lists[r].push_back(i);
              expected[r / 4].insert(i);
            }
        on_every_backend([&](const Queue& on) {
          const HostLists unions = unite(on, shape, lists, page);
          for (std::size_t k = 0; k < unions.size(); ++k)
            ASSERT_TRUE(std::ranges::equal(unions[k], expected[k])) << "keys " << kv_len << " row " << k;
        });
      }
}

TEST(GroupUnion, RefusesListsPerKvHead) {
  const Shape shape{.q_heads = 4, .kv_heads = 2, .kv_len = 100};
  TokenList per_kv_head;
  per_kv_head.heads = 2;
  EXPECT_THROW(group_union({}, shape, per_kv_head, {}, nullptr), InputError);
}

std::vector<std::vector<float>> sum_groups(const Queue& on, const std::vector<std::vector<float>>& rows,
                                           std::int64_t group) {
  const UploadedScores scores(on, rows);
  const std::int64_t count = static_cast<std::int64_t>(rows.size()) / group, stride = scores.view().stride + 2;
  const Buffer sums = room_for<float>(on, count * stride), length = room_for<std::int32_t>(on, count);
  const Buffer workspace = room_for<std::byte>(on, static_cast<std::int64_t>(group_sum_workspace(on, scores.view())));
  group_sum(on, scores.view(), group, {sums.as<float>(), count, stride, nullptr}, length.as<std::int32_t>(),
            workspace.data());
  EXPECT_TRUE(workspace.guards_intact());
  const auto found = download<float>(sums);
  const auto lengths = download<std::int32_t>(length);
  std::vector<std::vector<float>> result;
  for (std::int64_t k = 0; k < count; ++k) {
    EXPECT_EQ(lengths[k], rows[k * group].size());
    result.emplace_back(found.begin() + k * stride, found.begin() + k * stride + lengths[k]);
    EXPECT_TRUE(std::all_of(found.begin() + k * stride + lengths[k], found.begin() + (k + 1) * stride,
                            [](float x) { return std::isnan(x); }));
  }
  return result;
}

TEST(GroupSum, AddsTheWeightsOfAGroup) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal(0.0f, 3.0f);
  for (const int group : {1, 4, 5})
    for (const std::size_t base : {0, 1, 17, 8192, 100'003}) {
      std::vector<std::vector<float>> rows;
      for (int r = 0; r < 3 * group; ++r) {
        rows.emplace_back(base == 0 ? 0 : base - static_cast<std::size_t>(r / group) % base);
        for (float& s : rows.back()) s = normal(random);
      }
      on_every_backend([&](const Queue& on) {
        const auto sums = sum_groups(on, rows, group);
        for (std::size_t k = 0; k < sums.size(); ++k) {
          std::vector<double> expected(sums[k].size());
          for (int g = 0; g < group; ++g) {
            const auto& row = rows[k * static_cast<std::size_t>(group) + static_cast<std::size_t>(g)];
            double total = 0;
            for (const float s : row) total += std::exp(double{s});
            for (std::size_t j = 0; j < row.size(); ++j) expected[j] += std::exp(double{row[j]}) / total;
          }
          // e^x in fp32 within 2^-22 plus 2^-24 per unit of |x| < 40, in the weight and in the sum that divides it,
          // which adds up thousands of terms in fp32 before it goes on in double.
          for (std::size_t j = 0; j < expected.size(); ++j)
            ASSERT_NEAR(sums[k][j], expected[j], 1e-5 * expected[j]) << "group " << k << " position " << j;
        }
      });
    }
}

TEST(GroupSum, HiddenPositionsWeighNothing) {
  constexpr float kHidden = -INFINITY;
  on_every_backend([](const Queue& on) {
    EXPECT_THAT(sum_groups(on, {{kHidden, 0, 0}, {kHidden, kHidden, kHidden}}, 2),
                ElementsAre(ElementsAre(0.0f, 0.5f, 0.5f)));
  });
}

}  // namespace
}  // namespace attnscope::select
