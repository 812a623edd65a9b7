// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cmath>
#include <cstring>

#include "kernels/compose/exact.hpp"
#include "kernels/compose/testing.hpp"
#include "kernels/methods/magicpig/probability.hpp"

namespace attnscope::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

nlohmann::json hash(std::int64_t bits, std::int64_t tables, std::int64_t sink = 4, std::int64_t window = 64) {
  return {{"bits", bits}, {"tables", tables}, {"sink", sink}, {"window", window}};
}

/// Six keys of one head: 0 is the sink, 5 the window, 1 and 3 point where the query does, 2 and 4 where it does not.
TestProblem hand_worked() {
  TestProblem problem({.head_dim = 64, .q_len = 1, .kv_len = 6, .dtype = Dtype::f32});
  for (std::int64_t key = 1; key < 5; ++key)
    for (std::int64_t c = 0; c < 64; ++c)
      problem.k.as<float>()[key * 64 + c] = (key % 2 == 1 ? 2.0f : -2.0f) * problem.q.as<float>()[c];
  return problem;
}

TEST(MagicPig, SamplesKeysAlongTheQueryAndNeverAgainstIt) {
  const TestProblem problem = hand_worked();
  EXPECT_THAT(select_row("magicpig", problem, hash(10, 8, 1, 1), {0, 0, 0}).keys, ElementsAre(0, 1, 3, 5));
  for (const Backend backend : backends_here()) {
    const MethodRun run("magicpig", backend, problem, hash(10, 8, 1, 1));
    EXPECT_THAT(run.keys({0, 0, 0}), ElementsAre(0, 1, 3, 5));
    EXPECT_EQ(run.fault(), "");
  }
}

TEST(MagicPig, WeighsSampledKeysAndLeavesTheOthers) {
  // Keys 1 and 3 are certain to be sampled, u = 1; the floor of 1 halves their weight.
  const TestProblem problem = hand_worked();
  nlohmann::json params = hash(10, 8, 1, 1);
  params["floor"] = 1.0;
  const Method& room = find_method("magicpig");
  const auto definition = room.define(problem.inputs(), Phase::decode, resolve(room, params), {});
  const std::vector<std::int32_t> keys{0, 1, 3, 5};
  const RowTerms terms = definition->terms({0, 0, 0}, keys);
  ASSERT_EQ(terms.log_weight.size(), 4u);
  const double expected[] = {0, -std::log(2.0), -std::log(2.0), 0};
  for (int i = 0; i < 4; ++i) EXPECT_NEAR(terms.log_weight[i], expected[i], 1e-9) << "key " << keys[i];
}

TEST(MagicPig, SamplingProbabilityIsThatOfTwoCollisions) {
  const auto u = [](double agree, std::int64_t bits, std::int64_t tables) {
    return magicpig::sampling_probability(agree, {.bits = bits, .tables = tables});
  };
  // decode.md's figure for orthogonal keys at the paper's (10, 150), and the formula as printed where it is harmless.
  EXPECT_NEAR(u(0.5, 10, 150), 0.0097, 5e-5);
  for (const double p : {0.3, 0.5, 0.8, 0.99}) {
    const double m = std::pow(p, 4);
    EXPECT_NEAR(u(p, 4, 20), 1 - std::pow(1 - m, 20) - 20 * m * std::pow(1 - m, 19), 1e-12);
  }
  EXPECT_EQ(u(0, 10, 150), 0);
  EXPECT_EQ(u(1, 10, 150), 1);
  EXPECT_NEAR(u(1e-3, 2, 3) / 3e-12, 1, 1e-5);  // 3 m² for small m: nothing is lost in a difference from one
}

TEST(MagicPig, IsCorrectOnAwkwardShapes) {
  nlohmann::json off = hash(4, 6, 2, 9);
  off["centre"] = "off";
  nlohmann::json sharp = hash(5, 9, 0, 1);
  sharp["floor"] = 1e-6;
  sharp["hash_seed"] = 77;
  expect_correct("magicpig", Phase::decode,
                 {hash(10, 150), hash(3, 7, 0, 1), hash(1, 2, 3, 5), hash(15, 4), hash(7, 33, 0, 1), off, sharp});
}

TEST(MagicPig, ASinkAndWindowOverEverythingAreDense) {
  for (const Backend backend : backends_here())
    for (const std::int64_t kv_len : {1, 67, 68}) {
      const TestProblem problem({.q_heads = 2, .kv_heads = 1, .head_dim = 64, .q_len = 1, .kv_len = kv_len});
      const MethodRun run("magicpig", backend, problem);
      EXPECT_EQ(run.execution().attended_pairs(), problem.shape.dense_pairs());
      EXPECT_THAT(run.observed.stages, ElementsAre("attend"));
      EXPECT_EQ(run.fault(), "");
    }
}

TEST(MagicPig, WithoutCentringKeysAreSampledForTheirMeanAlone) {
  // Keys share a large mean along the query; what tells them apart is small. Uncentred, every angle is small.
  TestProblem problem({.head_dim = 64, .q_len = 1, .kv_len = 400, .dtype = Dtype::f32});
  for (std::int64_t key = 0; key < 400; ++key)
    for (std::int64_t c = 0; c < 64; ++c) problem.k.as<float>()[key * 64 + c] += 20 * problem.q.as<float>()[c];
  nlohmann::json centred = hash(8, 30, 4, 16), uncentred = centred;
  uncentred["centre"] = "off";
  EXPECT_EQ(select_row("magicpig", problem, uncentred, {0, 0, 0}).keys.size(), 400u);
  EXPECT_LT(select_row("magicpig", problem, centred, {0, 0, 0}).keys.size(), 100u);
  for (const Backend backend : backends_here())
    for (const nlohmann::json& params : {centred, uncentred})
      EXPECT_EQ(MethodRun("magicpig", backend, problem, params).fault(), "");
}

TEST(MagicPig, TheMeanOverSeedsApproachesExactAttention) {
  // The correction makes numerator and denominator of attention unbiased, up to the floor: over seeds, the mean of
  // Σ e^s / (u + floor) over the sampled keys is Σ e^s u / (u + floor) over all of them. Five standard errors.
  constexpr int kSeeds = 400;
  const TestProblem problem({.head_dim = 64, .q_len = 1, .kv_len = 120, .dtype = Dtype::f32}, 3);
  const Row row{0, 0, 0};
  const Method& room = find_method("magicpig");
  const auto logits = compose::exact_logits(problem.inputs(), row);
  std::vector<std::int32_t> all(120);
  for (std::int32_t key = 0; key < 120; ++key) all[key] = key;

  std::vector<double> sums;  // of the weights; then of the weights with the first channel of V
  std::vector<double> values;
  double expected_sum = 0, expected_value = 0;
  for (int seed = 0; seed < kSeeds; ++seed) {
    nlohmann::json params = hash(4, 8, 2, 8);
    params["hash_seed"] = seed;
    const auto definition = room.define(problem.inputs(), Phase::decode, resolve(room, params), {});
    const auto add = [&](const std::vector<std::int32_t>& keys, auto probability) {
      const RowTerms terms = definition->terms(row, keys);
      double sum = 0, value = 0;
      for (std::size_t i = 0; i < keys.size(); ++i) {
        const double term = std::exp(logits[keys[i]].value + terms.log_weight[i]) * probability(terms.log_weight[i]);
        sum += term;
        value += term * problem.v.as<float>()[keys[i] * 64];
      }
      return std::pair{sum, value};
    };
    const auto [sum, value] = add(definition->select_row(row).keys, [](double) { return 1.0; });
    sums.push_back(sum);
    values.push_back(value);
    if (seed > 0) continue;  // the weights, and so the expectation, do not depend on the seed
    const auto sampled = [](double weight) { return weight == 0 ? 1.0 : std::exp(-weight) - 1e-4; };
    std::tie(expected_sum, expected_value) = add(all, sampled);
  }
  const auto expect_mean = [](const std::vector<double>& samples, double expected) {
    const double n = kSeeds;
    double mean = 0, square = 0;
    for (const double x : samples) mean += x / n;
    for (const double x : samples) square += (x - mean) * (x - mean);
    const double standard_error = std::sqrt(square / (n * (n - 1)));
    EXPECT_GT(standard_error, 0);
    EXPECT_NEAR(mean, expected, 5 * standard_error);
    return standard_error;
  };
  expect_mean(values, expected_value);
  // Without the correction the mean would be far below: this test would see a tenth of that.
  const double uncorrected = 0.9 * expected_sum;
  EXPECT_GT(expected_sum - uncorrected, expect_mean(sums, expected_sum));
}

TEST(MagicPig, GivesTheSameBitsEveryTimeAndOthersForAnotherSeed) {
  for (const Backend backend : backends_here()) {
    const TestProblem problem({.q_heads = 4, .kv_heads = 2, .head_dim = 64, .q_len = 1, .kv_len = 3000});
    nlohmann::json params = hash(6, 20);
    MethodRun run("magicpig", backend, problem, params);
    const std::vector<float> first = run.o();
    run.run();
    EXPECT_EQ(run.o(), first);
    EXPECT_EQ(MethodRun("magicpig", backend, problem, params).o(), first);
    params["hash_seed"] = 1;
    EXPECT_NE(MethodRun("magicpig", backend, problem, params).o(), first);
  }
}

TEST(MagicPig, MoreTablesSampleMoreKeys) {
  const TestProblem problem({.q_heads = 2, .kv_heads = 1, .head_dim = 64, .q_len = 1, .kv_len = 2000});
  std::uint64_t before = 0;
  for (const std::int64_t tables : {10, 40, 160}) {
    const std::uint64_t pairs =
        MethodRun("magicpig", Backend::cpu, problem, hash(6, tables)).execution().attended_pairs();
    EXPECT_GT(pairs, before);
    before = pairs;
  }
}

TEST(MagicPig, TheDefinitionRefusesTablesThatAreWrong) {
  const TestProblem problem({.head_dim = 64, .q_len = 1, .kv_len = 300, .dtype = Dtype::f32});
  const Method& room = find_method("magicpig");
  const Params params = resolve(room, hash(3, 5));
  const MethodRun run("magicpig", Backend::cpu, problem, hash(3, 5));
  const auto fault_with = [&](const std::string& name, auto spoil) {
    std::vector<SideTensor> built = run.execution().built();
    for (SideTensor& tensor : built)
      if (tensor.name == name) spoil(tensor.bytes);
    return room.define(problem.inputs(), Phase::decode, params, built)->select_row({0, 0, 0}).fault;
  };
  EXPECT_EQ(fault_with("", [](auto&) {}), "");
  EXPECT_THAT(fault_with("centre", [](auto& bytes) { bytes[2] ^= std::byte{0x40}; }), HasSubstr("centre of KV head 0"));
  EXPECT_THAT(fault_with("query_codes", [](auto& bytes) { bytes[0] ^= std::byte{7}; }), HasSubstr("query code"));
  EXPECT_THAT(fault_with("table_keys", [](auto& bytes) { std::memcpy(bytes.data(), bytes.data() + 4, 4); }),
              HasSubstr("table 0 of KV head 0"));
  // Bucket 0 takes what belongs to bucket 1: ascending no more, or a sign that cannot be.
  EXPECT_THAT(fault_with("table_begin", [](auto& bytes) { std::memcpy(bytes.data() + 4, bytes.data() + 8, 4); }),
              HasSubstr("table 0 of KV head 0"));
}

TEST(MagicPig, CostsTheHashesTheBucketsAndTheSampledKeys) {
  // 500 keys of which 68 are always attended; K = 4, L = 10, one KV head under two query heads.
  const TestProblem problem({.q_heads = 2, .kv_heads = 1, .head_dim = 64, .q_len = 1, .kv_len = 500});
  const MethodRun run("magicpig", Backend::cpu, problem, hash(4, 10));
  EXPECT_THAT(run.observed.stages,
              ElementsAre("centre", "hash_keys", "sort", "hash", "lookup", "list", "weigh", "attend"));
  const double indexed = 432, projections = 40;
  EXPECT_EQ(run.cost("hash_keys").flops, 2.0 * 64 * projections * indexed);
  EXPECT_EQ(run.cost("hash_keys").bytes, 64 * 2 * indexed + projections * 64 * 2 + 2 * 10 * indexed);
  EXPECT_EQ(run.cost("sort").bytes, 6.0 * 10 * indexed + 4 * 10 * 17);
  EXPECT_EQ(run.cost("hash").flops, 2.0 * 64 * projections * 2);
  EXPECT_EQ(run.cost("hash").kind, StageKind::select);
  EXPECT_EQ(run.cost("weigh").kind, StageKind::correct);

  const std::vector<SideTensor> built = run.execution().built();
  const auto* begin = reinterpret_cast<const std::int32_t*>(built[1].bytes.data());
  const auto* codes = reinterpret_cast<const std::uint16_t*>(built[3].bytes.data());
  double entries = 0;
  for (int table = 0; table < 10; ++table)
    for (int head = 0; head < 2; ++head) {
      const std::int32_t* bucket = begin + table * 17 + codes[table * 2 + head];
      entries += bucket[1] - bucket[0];
    }
  EXPECT_EQ(run.cost("lookup").flops, entries);
  const auto sampled = static_cast<double>(run.execution().attended_pairs()) - 2 * 68;
  EXPECT_GT(sampled, 0);
  EXPECT_EQ(run.cost("weigh").flops, 5 * 64 * sampled);
}

TEST(MagicPig, HashingOneQueryCostsWhatThePaperSays) {
  // 2 d K L = 384,000 FLOPs per query head at (10, 150), and 600 bytes of tables per key and KV head.
  const TestProblem problem({.head_dim = 128, .q_len = 1, .kv_len = 168});
  const MethodRun run("magicpig", Backend::cpu, problem);
  EXPECT_EQ(run.cost("hash").flops, 384e3);
  EXPECT_EQ(run.execution().built()[2].bytes.size(), 600u * 100);
}

TEST(MagicPig, DecodesOneQueryOnly) {
  const Method& room = find_method("magicpig");
  const Params params = resolve(room);
  EXPECT_TRUE(room.unsupported({.q_len = 2, .kv_len = 2}, Phase::prefill, Backend::reference, params));
  EXPECT_FALSE(room.unsupported({.q_len = 1}, Phase::decode, Backend::reference, params));
}

}  // namespace
}  // namespace attnscope::testing
