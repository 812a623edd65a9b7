// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cstring>

#include "kernels/compose/testing.hpp"
#include "kernels/methods/pqcache/settings.hpp"

namespace attnscope::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

nlohmann::json settings(double share, double recent, std::int64_t sink, std::int64_t bits) {
  return {{"share", share}, {"recent", recent}, {"sink", sink}, {"bits", bits}};
}

// Twelve keys of one channel per part behind one sink; the query likes large numbers in both. One bit per part tells 0
// from 10, so that codes rank (10, 10), then (10, 0), which the query likes more than (0, 10), then (0, 0).
TestProblem two_numbers() {
  TestProblem problem({.head_dim = 64, .q_len = 1, .kv_len = 13, .dtype = Dtype::f32});
  problem.q.zero();
  problem.k.zero();
  problem.q.as<float>()[0] = 2;
  problem.q.as<float>()[32] = 1;
  const float keys[13][2] = {{99, 99}, {0, 0},  {10, 0}, {0, 10}, {10, 10}, {0, 0}, {10, 0},
                             {0, 0},   {0, 10}, {0, 0},  {10, 0}, {10, 10}, {0, 0}};
  for (int key = 0; key < 13; ++key)
    for (int part = 0; part < 2; ++part) problem.k.as<float>()[key * 64 + part * 32] = keys[key][part];
  return problem;
}

TEST(PqCache, SettingsOfAContext) {
  const Method& room = find_method("pqcache");
  const auto of = [&](std::int64_t kv_len) {
    return pqcache::settings_of({.q_len = 1, .kv_len = kv_len}, resolve(room));
  };
  const pqcache::Settings settings = of(32 + 10'000);
  EXPECT_EQ(settings.plan.first, 32);
  EXPECT_EQ(settings.plan.keys, 10'000);
  EXPECT_EQ(settings.recent, 500);
  EXPECT_EQ(settings.plan.choose, 500);
  EXPECT_EQ(settings.plan.candidates, 9'500);
  EXPECT_EQ(settings.attended(), 1'032);
  EXPECT_TRUE(of(96).keeps_all());  // as many keys as centroids
  EXPECT_FALSE(of(97).keeps_all());
}

TEST(PqCache, AttendsSinksTheBestCodesAndRecentKeys) {
  // Half of twelve: three recent keys and the best three of nine. The fourth has (10, 10); of the three with (10, 0)
  // the recent one is attended anyway.
  const TestProblem problem = two_numbers();
  const nlohmann::json half = settings(0.5, 0.5, 1, 1);
  const auto keys = ElementsAre(0, 2, 4, 6, 10, 11, 12);
  EXPECT_THAT(select_row("pqcache", problem, half, {0, 0, 0}).keys, keys);
  for (const Backend backend : backends_here()) {
    const MethodRun run("pqcache", backend, problem, half);
    EXPECT_THAT(run.keys({0, 0, 0}), keys);
    EXPECT_THAT(run.observed.stages, ElementsAre("codes", "rank_codes", "list_keys", "attend"));
    EXPECT_EQ(run.fault(), "");
  }
}

TEST(PqCache, OfEqualCodesTheFirstKeysAreChosen) {
  // Two recent keys and two of ten: the fourth key, and the first of those with (10, 0).
  const TestProblem problem = two_numbers();
  for (const Backend backend : backends_here())
    EXPECT_THAT(MethodRun("pqcache", backend, problem, settings(0.34, 0.5, 1, 1)).keys({0, 0, 0}),
                ElementsAre(0, 2, 4, 11, 12));
}

TEST(PqCache, AGroupSharesItsKeys) {
  const TestProblem problem({.q_heads = 6, .kv_heads = 2, .head_dim = 64, .q_len = 1, .kv_len = 500});
  for (const Backend backend : backends_here()) {
    const MethodRun run("pqcache", backend, problem);
    for (const std::int64_t head : {1, 2}) EXPECT_EQ(run.keys({0, head, 0}), run.keys({0, 0, 0}));
    EXPECT_NE(run.keys({0, 3, 0}), run.keys({0, 0, 0}));
    EXPECT_EQ(run.fault(), "");
  }
}

TEST(PqCache, IsCorrectOnAwkwardShapes) {
  nlohmann::json one_part = settings(0.3, 0.5, 5, 7);
  one_part["subvectors"] = 1;
  nlohmann::json one_round = settings(0.5, 0.1, 0, 4);
  one_round["iterations"] = 1;
  expect_correct("pqcache", Phase::decode,
                 {nlohmann::json::object(), settings(0.2, 0.5, 4, 3), settings(0.3, 0, 0, 2), settings(0.3, 1, 2, 5),
                  settings(0, 0.5, 1, 1), settings(0.9, 0.5, 3, 6), one_part, one_round});
}

TEST(PqCache, AShareOfEverythingAndAFewKeysAreDense) {
  // 200 keys behind the sinks, halves of which are whole; then no more keys than four centroids.
  for (const Backend backend : backends_here())
    for (const std::int64_t kv_len : {232, 1, 32, 33, 36}) {
      const TestProblem problem({.head_dim = 64, .q_len = 1, .kv_len = kv_len});
      const MethodRun run("pqcache", backend, problem, settings(1, 0.5, 32, 2));
      EXPECT_EQ(run.execution().attended_pairs(), problem.shape.dense_pairs());
      EXPECT_THAT(run.observed.stages, ElementsAre("attend"));
      EXPECT_EQ(run.fault(), "");
    }
}

TEST(PqCache, TheDefinitionDoubtsWhatIsBuilt) {
  const TestProblem problem({.q_heads = 2, .kv_heads = 1, .head_dim = 64, .q_len = 1, .kv_len = 300});
  const nlohmann::json given = settings(0.2, 0.5, 4, 3);
  const MethodRun run("pqcache", Backend::cpu, problem, given);
  const Method& room = find_method("pqcache");
  const auto fault_with = [&](auto change) {
    std::vector<SideTensor> built = run.execution().built();
    change(built);
    return room.define(problem.inputs(), Phase::decode, resolve(room, given), std::move(built))->select_row({}).fault;
  };
  EXPECT_EQ(fault_with([](auto&) {}), "");
  EXPECT_THAT(fault_with([](auto& built) { built[1].bytes[0] ^= std::byte{1}; }), HasSubstr("nearer"));
  EXPECT_ANY_THROW(fault_with([](auto& built) { built[1].bytes[1] = std::byte{1}; }));  // a code of more than 6 bits
  EXPECT_ANY_THROW(fault_with([](auto& built) { built.pop_back(); }));
}

TEST(PqCache, CostsOfEveryStage) {
  // 4 sinks and 200 keys, of which 20 are recent and 20 of 180 chosen; 8 centroids for each half of 64 channels.
  const TestProblem problem({.q_heads = 4, .kv_heads = 2, .head_dim = 64, .q_len = 1, .kv_len = 204});
  nlohmann::json given = settings(0.2, 0.5, 4, 3);
  given["iterations"] = 3;
  const MethodRun run("pqcache", Backend::cpu, problem, given);
  EXPECT_EQ(run.cost("codes").kind, StageKind::build);
  EXPECT_EQ(run.cost("codes").flops, 2.0 * 200 * 64 * (4 * 2 * 8 + 3));
  EXPECT_EQ(run.cost("codes").bytes, 2.0 * (200 * 64 * 2 * 7 + 8 * 64 * 2 + 2 * 200 + 4 * 64));  // K seven times
  EXPECT_EQ(run.cost("rank_codes").flops, 4.0 * (2 * 64 * 8 + 64 * (2 + 6)) + 2 * 64);
  EXPECT_EQ(run.cost("rank_codes").bytes, (4.0 + 2 * 8) * 64 * 2 + 2 * (5 * 64 + 4));
  EXPECT_EQ(run.cost("list_keys").flops, 2.0 * 180);
  EXPECT_EQ(run.cost("list_keys").bytes, 2.0 * (2 * 180 + 64 + 4 + 4 * 20));
  EXPECT_EQ(run.cost("attend").flops, 4.0 * 64 * 4 * 44);
}

TEST(PqCache, SelectionReadsTwoBytesPerKeyAndHead) {
  // Beside 256 bytes of K: the codes, and what doesn't grow with the context.
  const std::int64_t n = 1 << 15;
  const TestProblem problem({.q_heads = 1, .kv_heads = 1, .head_dim = 128, .q_len = 1, .kv_len = n});
  nlohmann::json given = settings(0.01, 0.5, 32, 6);
  given["iterations"] = 1;
  const MethodRun run("pqcache", Backend::cpu, problem, given);
  const double bytes = run.cost("rank_codes").bytes + run.cost("list_keys").bytes;
  const double fixed = 4096 * 6 + 64 * 128 * 2;  // counts and marks of the codes, centroids
  EXPECT_NEAR((bytes - fixed) / n, 2, 0.05);
}

TEST(PqCache, SaysWhatItCannotDo) {
  const Method& room = find_method("pqcache");
  const Shape shape{.head_dim = 64, .q_len = 1};
  const auto reason = [&](const nlohmann::json& given) {
    return room.unsupported(shape, Phase::decode, Backend::cpu, resolve(room, given)).value_or("");
  };
  EXPECT_EQ(reason(nlohmann::json::object()), "");
  EXPECT_THAT(reason({{"bits", 7}}), HasSubstr("12 bits"));
  EXPECT_THAT(reason({{"subvectors", 4}, {"bits", 3}}), HasSubstr("32 channels"));
  EXPECT_TRUE(room.unsupported(shape, Phase::prefill, Backend::cpu, resolve(room)));
}

TEST(PqCache, GivesTheSameBitsEveryTime) {
  for (const Backend backend : backends_here()) {
    const TestProblem problem({.q_heads = 4, .kv_heads = 2, .head_dim = 64, .q_len = 1, .kv_len = 5000});
    MethodRun run("pqcache", backend, problem);
    const std::vector<float> first = run.o();
    run.run();
    EXPECT_EQ(run.o(), first);
    EXPECT_EQ(MethodRun("pqcache", backend, problem).o(), first);  // built again, too
  }
}

}  // namespace
}  // namespace attnscope::testing
