// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cmath>
#include <cstring>

#include "harness/verify/exact.hpp"
#include "kernels/compose/testing.hpp"
#include "kernels/methods/retroinfer/zones.hpp"

namespace attnscope::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

nlohmann::json zones(std::int64_t tokens, double retrieve, double estimate, std::int64_t sink, std::int64_t window) {
  return {{"tokens_per_cluster", tokens},
          {"retrieve", retrieve},
          {"estimate", estimate},
          {"sink", sink},
          {"window", window}};
}

// A sink key, eight pairs of equal keys, 3 along axis c for pair c, and a window key; the query likes axis c the less
// the larger c is. Every pair becomes a cluster, since every seed is the second key of a pair.
TestProblem eight_pairs(Dtype dtype = Dtype::f32) {
  TestProblem problem({.head_dim = 64, .q_len = 1, .kv_len = 18, .dtype = dtype});
  for (std::int64_t i = 0; i < problem.shape.kv_elements(); ++i) {
    const std::int64_t key = i / 64, channel = i % 64;
    const bool paired = key > 0 && key < 17;
    store_element(problem.k.data(), dtype, i, paired && channel == (key - 1) / 2 ? 3.0f : 0.0f);
  }
  for (std::int64_t c = 0; c < 64; ++c)
    store_element(problem.q.data(), dtype, c, c < 8 ? 2.0f * static_cast<float>(8 - c) : 0.0f);
  return problem;
}

// The pair of axis 0 is retrieved, those of axes 1 and 2 are estimated.
const nlohmann::json kOneAndTwo = zones(2, 1.0 / 8, 2.0 / 8, 1, 1);

TEST(RetroInfer, ZonesOfAContext) {
  const Method& room = find_method("retroinfer");
  const auto of = [&](std::int64_t kv_len) {
    return retroinfer::zones_of({.q_len = 1, .kv_len = kv_len}, resolve(room));
  };
  const retroinfer::Zones zones = of(32768 + 68);
  EXPECT_EQ(zones.plan.first, 4);
  EXPECT_EQ(zones.plan.keys, 32768);
  EXPECT_EQ(zones.plan.segments, 4);
  EXPECT_EQ(zones.plan.clusters, 2048);
  EXPECT_EQ(zones.retrieved, 37);                      // 1.8 %
  EXPECT_EQ(zones.estimated, 475);                     // 23.2 %
  EXPECT_EQ(of(3 * 8192 + 68).plan.clusters % 24, 0);  // segments share them evenly
  EXPECT_TRUE(of(68).keeps_all());
  EXPECT_EQ(of(69).plan.clusters, 8);  // at least eight, most of them empty
}

TEST(RetroInfer, AttendsTheSteadyZoneAndTheBestClusters) {
  const TestProblem problem = eight_pairs();
  EXPECT_THAT(select_row("retroinfer", problem, kOneAndTwo, {0, 0, 0}).keys, ElementsAre(0, 1, 2, 17));
  for (const Backend backend : backends_here()) {
    const MethodRun run("retroinfer", backend, problem, kOneAndTwo);
    EXPECT_THAT(run.keys({0, 0, 0}), ElementsAre(0, 1, 2, 17));
    EXPECT_THAT(run.observed.stages, ElementsAre("clusters", "centroid_scores", "group_sum", "top_k", "zones", "attend",
                                                 "estimate", "merge"));
  }
}

TEST(RetroInfer, EstimatesExactlyWhereKeysAreEqual) {
  // The keys of a pair weigh the same, so that their centroid and mean value stand for them without error.
  const TestProblem problem = eight_pairs();
  const std::vector<std::int32_t> keys{0, 1, 2, 3, 4, 5, 6, 17};
  const AttentionRows exact = attention_over(problem.inputs(), {0, 0, 0}, keys, 1);
  for (const Backend backend : backends_here()) {
    const MethodRun run("retroinfer", backend, problem, kOneAndTwo);
    EXPECT_EQ(run.fault(), "");
    for (int c = 0; c < 64; ++c) EXPECT_NEAR(run.o()[c], exact.o[c], 1e-5);
  }
}

TEST(RetroInfer, RanksClustersForTheWholeGroup) {
  // The second head likes axis 7 as much as the first likes axis 0: the two share both pairs.
  const TestProblem one = eight_pairs();
  TestProblem problem({.q_heads = 2, .kv_heads = 1, .head_dim = 64, .q_len = 1, .kv_len = 18, .dtype = Dtype::f32});
  problem.q.zero();
  problem.q.as<float>()[0] = 16;
  problem.q.as<float>()[64 + 7] = 16;
  std::memcpy(problem.k.data(), one.k.data(), one.k.bytes());
  for (const Backend backend : backends_here()) {
    const MethodRun run("retroinfer", backend, problem, zones(2, 2.0 / 8, 0, 1, 1));
    for (std::int64_t head = 0; head < 2; ++head) EXPECT_THAT(run.keys({0, head, 0}), ElementsAre(0, 1, 2, 15, 16, 17));
    EXPECT_EQ(run.fault(), "");
  }
}

TEST(RetroInfer, IsCorrectOnAwkwardShapes) {
  nlohmann::json global = zones(4, 0.1, 0.5, 3, 5);
  global.update({{"last_round", "global"}, {"segment", 64}});
  nlohmann::json segments = global;
  segments["last_round"] = "segment";
  nlohmann::json one_round = zones(1, 0.02, 0.2, 0, 1);
  one_round["iterations"] = 1;
  expect_correct("retroinfer", Phase::decode,
                 {nlohmann::json::object(), zones(4, 0.1, 0.2, 1, 2), zones(2, 0, 1, 0, 0), zones(8, 0.3, 0, 0, 7),
                  global, segments, one_round});
}

TEST(RetroInfer, EverythingRetrievedIsDense) {
  for (const Backend backend : backends_here())
    for (const Shape& shape : awkward_shapes(Phase::decode, Dtype::f32)) {
      const TestProblem problem(shape);
      const MethodRun run("retroinfer", backend, problem, zones(16, 1, 0.2, 2, 3));
      EXPECT_EQ(run.execution().attended_pairs(), shape.dense_pairs());
      EXPECT_EQ(run.fault(), "");
      EXPECT_EQ(run.observed.stages.back(), "attend");
    }
}

TEST(RetroInfer, ASteadyZoneThatHoldsEverythingIsDense) {
  for (const Backend backend : backends_here())
    for (const std::int64_t kv_len : {1, 3, 4, 68}) {
      const TestProblem problem({.head_dim = 64, .q_len = 1, .kv_len = kv_len});
      const MethodRun run("retroinfer", backend, problem);
      EXPECT_THAT(run.observed.stages, ElementsAre("attend"));
      EXPECT_EQ(run.fault(), "");
      EXPECT_EQ(std::ssize(select_row("retroinfer", problem, nlohmann::json::object(), {}).keys), kv_len);
    }
}

TEST(RetroInfer, TheDefinitionDoubtsWhatIsBuilt) {
  const TestProblem problem(
      {.q_heads = 2, .kv_heads = 1, .head_dim = 64, .q_len = 1, .kv_len = 200, .dtype = Dtype::f32});
  const nlohmann::json given = zones(8, 0.1, 0.3, 2, 3);
  const MethodRun run("retroinfer", Backend::cpu, problem, given);
  const Method& room = find_method("retroinfer");
  const auto fault_with = [&](auto change) {
    std::vector<SideTensor> built = run.execution().built();
    change(built);
    return room.define(problem.inputs(), Phase::decode, resolve(room, given), std::move(built))->select_row({}).fault;
  };
  EXPECT_EQ(fault_with([](auto&) {}), "");
  const std::vector<std::string> names{"mean",       "directions", "centroids", "values",
                                       "assignment", "retrieved",  "ranked"};
  ASSERT_EQ(run.execution().built().size(), names.size());
  for (std::size_t i = 0; i < names.size(); ++i) EXPECT_EQ(run.execution().built()[i].name, names[i]);
  EXPECT_THAT(fault_with([](auto& built) { built[0].bytes[3] ^= std::byte{0x40}; }), HasSubstr("mean"));
  // The first cluster attracts the keys of all others once its direction is long.
  EXPECT_THAT(fault_with([](auto& built) {
                for (int c = 0; c < 64; ++c) reinterpret_cast<float*>(built[1].bytes.data())[c] *= 100;
              }),
              HasSubstr("score"));
  EXPECT_THAT(fault_with([](auto& built) { reinterpret_cast<float*>(built[2].bytes.data())[5] += 0.001f; }),
              HasSubstr("centroid"));
  EXPECT_THAT(fault_with([](auto& built) { reinterpret_cast<float*>(built[3].bytes.data())[5] += 0.001f; }),
              HasSubstr("mean value"));
  EXPECT_THAT(fault_with([](auto& built) {
                auto& first = reinterpret_cast<std::int32_t*>(built[5].bytes.data())[0];
                first = first > 0 ? first - 1 : first + 1;
              }),
              HasSubstr("retrieved"));
  EXPECT_THAT(fault_with([](auto& built) {
                auto* ranked = reinterpret_cast<std::int32_t*>(built[6].bytes.data());
                ranked[1] = ranked[0];
              }),
              HasSubstr("ranked"));
  EXPECT_ANY_THROW(fault_with([](auto& built) { built.pop_back(); }));
}

TEST(RetroInfer, CostsOfEveryStage) {
  // 128 keys in 8 clusters and 4 + 8 around them; 1 cluster retrieved, 2 estimated; 2 KV heads for 4 query heads.
  const TestProblem problem({.q_heads = 4, .kv_heads = 2, .head_dim = 64, .q_len = 1, .kv_len = 140});
  nlohmann::json given = zones(16, 0.125, 0.25, 4, 8);
  given["iterations"] = 3;
  const MethodRun run("retroinfer", Backend::cpu, problem, given);
  const double attended = run.keys({0, 0, 0}).size() + run.keys({0, 2, 0}).size();
  EXPECT_EQ(run.cost("clusters").kind, StageKind::build);
  EXPECT_EQ(run.cost("clusters").flops, 2.0 * 128 * 64 * (2 + 3 * (2 * 8 + 1)));
  EXPECT_EQ(run.cost("clusters").bytes,
            2.0 * (128 * 64 * 2 * 8 + 3 * 8 * 64 * 2 + 64 * 4 + 8 * 8 + 8 * 128));  // K seven times, V once
  EXPECT_EQ(run.cost("centroid_scores").flops, 2.0 * 64 * 4 * 8);
  EXPECT_EQ(run.cost("centroid_scores").bytes, (4 + 2 * 8) * 64 * 2.0 + 4 * 4 * 8 + 4 * 4);
  EXPECT_EQ(run.cost("group_sum").flops, 5.0 * 4 * 8 + 2 * 8);
  EXPECT_EQ(run.cost("group_sum").bytes, 4.0 * (4 * 8 + 2 * 2 * 8));
  EXPECT_EQ(run.cost("top_k").flops, 2.0 * 2 * 8);
  EXPECT_EQ(run.cost("top_k").bytes, 4.0 * (2 * 2 * 8 + 2 * 1 + 2 * 3));
  EXPECT_EQ(run.cost("zones").bytes, 4.0 * (2 * 1 + 2 * 3 + 2 * attended + 2 * 4));
  EXPECT_EQ(run.cost("attend").flops, 4.0 * 64 * 2 * attended);
  EXPECT_EQ(run.cost("attend").bytes,
            2.0 * attended * 64 * 2 + 4 * 64 * (2 + 4) + 4 * 4 + 4 * attended + 12 * 2);  // partial results are float
  EXPECT_EQ(run.cost("estimate").kind, StageKind::correct);
  EXPECT_EQ(run.cost("estimate").flops, 4.0 * 64 * 4 * 2);
  EXPECT_EQ(run.cost("estimate").bytes, 2.0 * 4 * 64 * 2 + 4 * 64 * (2 + 4) + 4 * 4 + 8 * 4 + 12 * 2);
  EXPECT_EQ(run.cost("merge").flops, 3.0 * 64 * 4);
  EXPECT_EQ(run.cost("merge").bytes, 4 * 64 * (2 * 4 + 2.0) + 12 * 4);
}

TEST(RetroInfer, BytesOverDenseAreCentroidsEstimatesAndWhatIsRetrieved) {
  // 1/32 for a centroid per 16 keys, 0.232/16 for those estimated with their values, and the share of keys attended,
  // which is 0.018 where clusters are alike: 6.4 %. Scores and lists of these stages are per mille.
  const std::int64_t n = 1 << 14;
  const TestProblem problem({.q_heads = 1, .kv_heads = 1, .head_dim = 128, .q_len = 1, .kv_len = n});
  const MethodRun run("retroinfer", Backend::cpu, problem);
  const double sparse = run.cost("centroid_scores").bytes + run.cost("attend").bytes + run.cost("estimate").bytes;
  const double dense = MethodRun("dense", Backend::cpu, problem).cost("attend").bytes;
  const double attended = static_cast<double>(run.execution().attended_pairs()) / static_cast<double>(n);
  EXPECT_NEAR(sparse / dense, 1.0 / 32 + 0.232 / 16 + attended, 0.0015);
  EXPECT_LT(attended, 0.018 * 3);
}

TEST(RetroInfer, DecodesOneQueryOnly) {
  const Method& room = find_method("retroinfer");
  EXPECT_TRUE(room.unsupported({.q_len = 1}, Phase::prefill, Backend::reference, resolve(room)));
  EXPECT_TRUE(room.unsupported({.q_len = 2, .kv_len = 2}, Phase::decode, Backend::reference, resolve(room)));
  EXPECT_FALSE(room.unsupported({.q_len = 1}, Phase::decode, Backend::reference, resolve(room)));
}

TEST(RetroInfer, GivesTheSameBitsEveryTime) {
  for (const Backend backend : backends_here()) {
    const TestProblem problem({.q_heads = 4, .kv_heads = 2, .head_dim = 64, .q_len = 1, .kv_len = 5000});
    MethodRun run("retroinfer", backend, problem);
    const std::vector<float> first = run.o();
    run.run();
    EXPECT_EQ(run.o(), first);
    EXPECT_EQ(MethodRun("retroinfer", backend, problem).o(), first);  // built again, too
  }
}

}  // namespace
}  // namespace attnscope::testing
