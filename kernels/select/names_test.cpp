// SPDX-License-Identifier: Apache-2.0
#include "kernels/select/names.hpp"

#include <gmock/gmock.h>

#include "kernels/select/testing.hpp"

namespace attnscope::select {
namespace {

using ::testing::ElementsAre;

HostLists to_keys(const Queue& on, const Shape& shape, const UploadedLists& candidates, const HostLists& positions,
                  std::int64_t heads) {
  std::vector<std::int32_t> indices, count;
  for (const auto& list : positions) {
    indices.insert(indices.end(), list.begin(), list.end());
    indices.resize(indices.size() + 4 - list.size(), -1);
    count.push_back(static_cast<std::int32_t>(list.size()));
  }
  const Buffer given_indices = upload(on, indices), given_count = upload(on, count);
  const Lists view{given_indices.as<std::int32_t>(), given_count.as<std::int32_t>(), 4};
  positions_to_keys(on, shape, candidates.view(), view, heads);
  const auto found = download<std::int32_t>(given_indices);
  HostLists keys;
  for (std::size_t r = 0; r < positions.size(); ++r) {
    keys.emplace_back(found.begin() + static_cast<std::ptrdiff_t>(r) * 4,
                      found.begin() + static_cast<std::ptrdiff_t>(r) * 4 + count[r]);
    for (std::size_t i = positions[r].size(); i < 4; ++i) EXPECT_EQ(found[r * 4 + i], -1);
  }
  return keys;
}

TEST(PositionsToKeys, OfTheHeadsOwnTokens) {
  const Shape shape{.batch = 2, .q_heads = 2, .kv_heads = 1, .kv_len = 100};
  on_every_backend([&](const Queue& on) {
    const UploadedLists candidates(on, {{3, 5, 8, 99}, {0}, {}, {10, 20, 30}}, 2, 1);
    EXPECT_THAT(to_keys(on, shape, candidates, {{0, 2, 3}, {0}, {}, {1}}, 2),
                ElementsAre(ElementsAre(3, 8, 99), ElementsAre(0), ElementsAre(), ElementsAre(20)));
  });
}

TEST(PositionsToKeys, OfTheGroupsTokensForQueryHeadsAndForKvHeads) {
  const Shape shape{.batch = 1, .q_heads = 4, .kv_heads = 2, .kv_len = 100};
  on_every_backend([&](const Queue& on) {
    const UploadedLists candidates(on, {{3, 5, 8}, {40, 41}}, 2, 1);
    EXPECT_THAT(to_keys(on, shape, candidates, {{0}, {1, 2}, {1}, {0, 1}}, 4),
                ElementsAre(ElementsAre(3), ElementsAre(5, 8), ElementsAre(41), ElementsAre(40, 41)));
    EXPECT_THAT(to_keys(on, shape, candidates, {{2}, {1}}, 2), ElementsAre(ElementsAre(8), ElementsAre(41)));
  });
}

TEST(PositionsToKeys, RunThroughTheKeysOfEachPage) {
  const Shape shape{.q_heads = 1, .kv_heads = 1, .kv_len = 50};
  on_every_backend([&](const Queue& on) {
    const UploadedLists candidates(on, {{1, 6, 7}}, 1, 7);  // keys 7…13, 42…48, 49
    EXPECT_THAT(to_keys(on, shape, candidates, {{0, 6, 7, 14}}, 1), ElementsAre(ElementsAre(7, 13, 42, 49)));
  });
}

}  // namespace
}  // namespace attnscope::select
