// SPDX-License-Identifier: Apache-2.0
#include "harness/config/config.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "harness/base/error.hpp"

namespace attnscope {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
using testing::UnorderedElementsAre;

/// A config of one decode sweep; `change` is more JSON of the sweep, ending in a comma.
std::string sweep(const std::string& change, const std::string& shape = R"("kv_len": 64)",
                  const std::string& methods = R"([{"name": "dense"}])", const std::string& root = "") {
  return "{" + root + R"("sweeps": [{)" + change + R"("phase": "decode", "workload": {"name": "gaussian"},
    "shape": {"q_heads": 4, "kv_heads": 2, "head_dim": 32, )" +
         shape + R"(}, "methods": )" + methods + "}]}";
}

template <typename Projection>
auto each(const std::string& text, Projection projection) {
  std::vector<std::decay_t<std::invoke_result_t<Projection, const PointSpec&>>> values;
  for (const PointSpec& point : parse_config(text, "c.json").points) values.push_back(std::invoke(projection, point));
  return values;
}

std::vector<std::int64_t> kv_lens(const std::string& text) {
  return each(text, [](const PointSpec& point) { return point.shape.kv_len; });
}

std::string error_of(const std::string& text, const std::vector<std::string>& overrides = {}) {
  try {
    parse_config(text, "c.json", overrides);
  } catch (const InputError& error) {
    EXPECT_EQ(std::string{error.what()}.find('\n'), std::string::npos) << error.what();
    return error.what();
  }
  return "no InputError";
}

TEST(Config, UnsetKeysHaveTheDocumentedDefaults) {
  const RunConfig run = parse_config(sweep(""), "c.json");
  ASSERT_EQ(run.points.size(), 1u);
  const PointSpec& point = run.points[0];
  const Shape shape{.batch = 1,
                    .q_heads = 4,
                    .kv_heads = 2,
                    .head_dim = 32,
                    .q_len = 1,
                    .kv_len = 64,
                    .causal = true,
                    .dtype = Dtype::bf16};
  EXPECT_EQ(point.shape, shape);
  EXPECT_EQ(point.method, "dense");
  EXPECT_EQ(point.where, "c.json: /sweeps/0/methods/0");
  EXPECT_EQ(point.backend, Backend::cpu);
  EXPECT_EQ(point.contract, Contract::warm);
  EXPECT_EQ(point.seed, 1u);
  EXPECT_EQ(point.accuracy_rows, 128);
  EXPECT_EQ(point.sampling.min_samples, 10);
  EXPECT_EQ(run.tier, "auto");
}

TEST(Config, EveryKeyReachesItsField) {
  const std::string text = R"({"name": "n", "description": "d", "tier": "T2", "sweeps": [{
    "phase": "prefill", "backend": "cuda", "dtype": "f16", "contract": "graph", "seed": 18446744073709551615,
    "accuracy_rows": 7, "workload": {"name": "llm", "params": {"spread": 0.5}},
    "shape": {"batch": 2, "q_heads": 6, "kv_heads": 3, "head_dim": 64, "q_len": 5, "kv_len": 9, "causal": false,
              "cache_page": 4, "history": 3},
    "methods": {"name": "quest", "params": {"budget": 256, "mode": "fast"}},
    "sampling": {"ci_width": 0.1, "min_samples": 2, "max_samples": 3, "max_seconds": 4.5, "timeout_seconds": 6}}]})";
  const RunConfig run = parse_config(text, "c.json");
  EXPECT_EQ(run.name, "n");
  EXPECT_EQ(run.description, "d");
  EXPECT_EQ(run.tier, "T2");
  ASSERT_EQ(run.points.size(), 1u);
  const PointSpec& point = run.points[0];
  const Shape shape{.batch = 2,
                    .q_heads = 6,
                    .kv_heads = 3,
                    .head_dim = 64,
                    .q_len = 5,
                    .kv_len = 9,
                    .causal = false,
                    .dtype = Dtype::f16,
                    .cache_page = 4,
                    .history = 3};
  EXPECT_EQ(point.shape, shape);
  EXPECT_EQ(point.phase, Phase::prefill);
  EXPECT_EQ(point.backend, Backend::cuda);
  EXPECT_EQ(point.contract, Contract::graph);
  EXPECT_EQ(point.seed, 18446744073709551615u);
  EXPECT_EQ(point.accuracy_rows, 7);
  EXPECT_EQ(point.workload, "llm");
  EXPECT_EQ(point.workload_params, (nlohmann::json{{"spread", 0.5}}));
  EXPECT_EQ(point.params, (nlohmann::json{{"budget", 256}, {"mode", "fast"}}));
  EXPECT_EQ(point.sampling.ci_width, 0.1);
  EXPECT_EQ(point.sampling.min_samples, 2);
  EXPECT_EQ(point.sampling.max_samples, 3);
  EXPECT_EQ(point.sampling.max_seconds, 4.5);
  EXPECT_EQ(point.sampling.timeout_seconds, 6);
}

TEST(Config, PrefillAttendsToItselfUnlessToldOtherwise) {
  EXPECT_THAT(each(sweep(R"("zip": {"seed": [1, 2]}, )"), [](const PointSpec& p) { return p.shape.q_len; }),
              ElementsAre(1, 1));
  std::string prefill = sweep("");
  prefill.replace(prefill.find("decode"), 6, "prefill");
  EXPECT_THAT(each(prefill, [](const PointSpec& p) { return p.shape.q_len; }), ElementsAre(64));
}

TEST(ConfigAxes, ExpandValuesListsRangesAndPowers) {
  EXPECT_THAT(kv_lens(sweep("", R"("kv_len": 7)")), ElementsAre(7));
  EXPECT_THAT(kv_lens(sweep("", R"("kv_len": [7, 3])")), ElementsAre(7, 3));
  EXPECT_THAT(kv_lens(sweep("", R"("kv_len": {"pow2": [3, 5]})")), ElementsAre(8, 16, 32));
  EXPECT_THAT(kv_lens(sweep("", R"("kv_len": {"range": [10, 20, 5]})")), ElementsAre(10, 15, 20));
  EXPECT_THAT(kv_lens(sweep("", R"("kv_len": {"range": [10, 19, 5]})")), ElementsAre(10, 15));
  EXPECT_THAT(kv_lens(sweep("", R"("kv_len": {"range": [3, 1, -1]})")), ElementsAre(3, 2, 1));
  EXPECT_THAT(kv_lens(sweep("", R"("kv_len": {"range": [4, 4, 1]})")), ElementsAre(4));
  EXPECT_THAT(kv_lens(sweep("", R"("kv_len": [1, {"pow2": [1, 2]}, {"range": [5, 6, 1]}])")),
              ElementsAre(1, 2, 4, 5, 6));
}

TEST(ConfigAxes, RangesOfRealsIncludeTheLastValueInSpiteOfRounding) {
  const auto p = each(sweep("", R"("kv_len": 8)", R"([{"name": "x", "params": {"p": {"range": [0.1, 0.3, 0.1]}}}])"),
                      [](const PointSpec& point) { return point.params["p"].get<double>(); });
  EXPECT_THAT(p, ElementsAre(testing::DoubleEq(0.1), testing::DoubleEq(0.2), testing::DoubleEq(0.3)));
}

TEST(ConfigAxes, MultiplyInTheOrderOfTheFileLaterFastest) {
  const auto points = each(
      sweep(R"("seed": [1, 2], )", R"("kv_len": [8, 16])",
            R"([{"name": "a"}, {"name": "b", "params": {"y": [1, 2], "x": 0}}])"),
      [](const PointSpec& p) { return fmt::format("{} {} {}{}", p.seed, p.shape.kv_len, p.method, p.params.dump()); });
  EXPECT_THAT(points, ElementsAre("1 8 a{}", R"(1 8 b{"x":0,"y":1})", R"(1 8 b{"x":0,"y":2})",  //
                                  "1 16 a{}", R"(1 16 b{"x":0,"y":1})", R"(1 16 b{"x":0,"y":2})", "2 8 a{}",
                                  R"(2 8 b{"x":0,"y":1})", R"(2 8 b{"x":0,"y":2})",  //
                                  "2 16 a{}", R"(2 16 b{"x":0,"y":1})", R"(2 16 b{"x":0,"y":2})"));
}

TEST(ConfigAxes, ZipPairsAxesAndMultipliesWithTheRest) {
  const auto shapes =
      each(sweep(R"("seed": [1, 2], )", R"("zip": {"q_len": [3, 5], "kv_len": {"pow2": [5, 6]}})"),
           [](const PointSpec& p) { return fmt::format("{} {} {}", p.seed, p.shape.q_len, p.shape.kv_len); });
  EXPECT_THAT(shapes, ElementsAre("1 3 32", "1 5 64", "2 3 32", "2 5 64"));
}

TEST(ConfigAxes, ObjectsMayBeListedToo) {
  const std::string text = R"({"sweeps": [{"phase": "decode", "methods": [{"name": "a"}],
    "workload": [{"name": "gaussian"}, {"name": "llm", "params": {"spread": 1}}],
    "shape": [{"q_heads": 2, "kv_heads": 1, "head_dim": 32, "kv_len": [4, 8]},
              {"q_heads": 9, "kv_heads": 3, "head_dim": 64, "kv_len": 16}]}]})";
  EXPECT_THAT(
      each(text,
           [](const PointSpec& p) { return fmt::format("{} {} {}", p.workload, p.shape.q_heads, p.shape.kv_len); }),
      ElementsAre("gaussian 2 4", "gaussian 2 8", "gaussian 9 16", "llm 2 4", "llm 2 8", "llm 9 16"));
}

TEST(ConfigDefaults, FillWhatSweepsLackAndVarySlowest) {
  const std::string defaults =
      R"("defaults": {"seed": [1, 2], "dtype": "f32", "workload": {"name": "llm", "params": {"spread": 1}},
    "shape": {"batch": 3, "kv_len": 999}, "sampling": {"min_samples": 4, "ci_width": 0.5}}, )";
  const RunConfig run = parse_config(sweep(R"("dtype": ["f16", "bf16"], "sampling": {"ci_width": 0.25}, )",
                                           R"("kv_len": 64)", R"([{"name": "a"}])", defaults),
                                     "c");
  ASSERT_EQ(run.points.size(), 4u);
  EXPECT_EQ(run.points[1].seed, 1u);
  EXPECT_EQ(run.points[1].shape.dtype, Dtype::bf16);
  EXPECT_EQ(run.points[2].seed, 2u);
  EXPECT_EQ(run.points[0].shape.batch, 3) << "shape merges key by key";
  EXPECT_EQ(run.points[0].shape.kv_len, 64);
  EXPECT_EQ(run.points[0].sampling.min_samples, 4);
  EXPECT_EQ(run.points[0].sampling.ci_width, 0.25);
  EXPECT_EQ(run.points[0].workload, "gaussian");
  EXPECT_TRUE(run.points[0].workload_params.empty()) << "parameters belong to the workload that they were written for";
}

TEST(ConfigFile, TakesOnlyTheMaskFromTheShape) {
  const std::string text = R"({"sweeps": [{"workload": {"name": "file", "params": {"path": "x.safetensors"}},
    "shape": {"causal": false, "cache_page": 16, "history": 5}, "methods": [{"name": "a"}, {"name": "b"}]}]})";
  const RunConfig run = parse_config(text, "c.json");
  ASSERT_EQ(run.points.size(), 2u);
  EXPECT_EQ(run.points[0].shape, (Shape{.causal = false, .cache_page = 16})) << "history comes with the tensors";
  EXPECT_EQ(run.points[0].workload_params["path"], "x.safetensors");
}

TEST(ConfigFile, InputReplacesEveryWorkloadAndKeepsEqualPointsOnce) {
  const std::string text =
      sweep("", R"("kv_len": [64, 128])", R"([{"name": "a"}, {"name": "b", "params": {"k": [1, 2]}}])");
  const RunConfig run = parse_config(text, "c.json", {}, "mine.safetensors");
  ASSERT_EQ(run.points.size(), 3u);
  EXPECT_EQ(run.points[2].method, "b");
  EXPECT_EQ(run.points[2].params["k"], 2);
  EXPECT_EQ(run.points[2].workload, "file");
  EXPECT_EQ(run.source["sweeps"][0]["workload"]["params"]["path"], "mine.safetensors");
}

TEST(ConfigOverrides, SetValuesByPath) {
  const std::string text = sweep("", R"("kv_len": [64, 128])");
  const RunConfig run = parse_config(text, "c.json",
                                     {"sweeps.0.shape.kv_len=[8,16,32]", "sweeps.0.methods.0.name=quest", "name=1",
                                      "name=a=b", "defaults.sampling.max_samples=50"});
  ASSERT_EQ(run.points.size(), 3u);
  EXPECT_EQ(run.points[2].shape.kv_len, 32);
  EXPECT_EQ(run.points[0].method, "quest") << "what is no JSON is a string";
  EXPECT_EQ(run.name, "a=b");
  EXPECT_EQ(run.points[0].sampling.max_samples, 50) << "missing objects are made";
  EXPECT_EQ(run.source["sweeps"][0]["shape"]["kv_len"], nlohmann::json({8, 16, 32}));
}

TEST(ConfigOverrides, FaultsNameTheOption) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"name", "--set \"name\": expected KEY=VALUE, found no '='"},
      {"=3", "expected KEY=VALUE with names between the dots, found an empty name"},
      {"a..b=3", "an empty name"},
      {"sweeps.1.seed=3", "--set \"sweeps.1.seed=3\": expected an index below 1, found \"1\""},
      {"sweeps.first.seed=3", "expected an index below 1, found \"first\""},
      {"sweeps.0.phase.x=3", "expected an object to set \"x\" in, found \"decode\""},
      {"sweeps.0.sed=3", "c.json: /sweeps/0/sed: unknown key; did you mean 'seed'?"},
  };
  for (const auto& [assignment, message] : cases) EXPECT_THAT(error_of(sweep(""), {assignment}), HasSubstr(message));
}

TEST(ConfigErrors, NameFileKeyExpectedAndFound) {
  const std::string dense = R"([{"name": "dense"}])";
  const std::vector<std::pair<std::string, std::string>> cases{
      {"{", "c.json: parse error"},
      {"[]", "c.json: /: expected an object, found []"},
      {"{}", "/sweeps: expected a list of sweeps, found none"},
      {R"({"sweeps": []})", "/sweeps: expected a list of at least one sweep, found []"},
      {R"({"sweeps": {}})", "/sweeps: expected a list of at least one sweep, found {}"},
      {R"({"sweeps": [3]})", "/sweeps/0: expected an object, found 3"},
      {R"({"sweep": []})",
       "/sweep: unknown key; did you mean 'sweeps'? (known: $schema, name, description, tier, defaults, sweeps)"},
      {R"({"name": "a", "name": "b"})", "key \"name\" occurs twice"},
      {sweep("", R"("kv_len": 64)", dense, R"("name": 3, )"), "/name: expected a string, found 3"},
      {sweep("", R"("kv_len": 64)", dense, R"("tier": "T4", )"),
       "/tier: expected one of auto, T0, T1, T2, T3, found \"T4\""},
      {sweep("", R"("kv_len": 64)", dense, R"("defaults": 1, )"), "/defaults: expected an object, found 1"},
      {sweep("", R"("kv_len": 64)", dense, R"("defaults": {"sed": 1}, )"),
       "/defaults/sed: unknown key; did you mean 'seed'?"},
      {sweep("", R"("kv_len": 64)", dense, R"("defaults": {"shape": {"kvlen": 1}}, )"),
       "/defaults/shape/kvlen: unknown key; did you mean 'kv_len'?"},
      {sweep(R"("seeds": 1, )"), "/sweeps/0/seeds: unknown key; did you mean 'seed'?"},
      {sweep(R"("a/b~\n": 1, )"), "/sweeps/0/a~1b~0?: unknown key"},
      {sweep("", R"("kv_len": 64, "qheads": 1)"), "/sweeps/0/shape/qheads: unknown key; did you mean 'q_heads'?"},
      {sweep(R"("sampling": {"samples": 1}, )"), "/sweeps/0/sampling/samples: unknown key; did you mean '"},
      {sweep("", R"("kv_len": 64)", R"([{"nam": "dense"}])"),
       "/sweeps/0/methods/0/nam: unknown key; did you mean 'name'?"},
      {sweep(R"("backend": ["cpu", "gpu"], )"),
       "/sweeps/0/backend/1: expected one of reference, cpu, cuda, cuda_sm90, cudnn, found \"gpu\""},
      {sweep(R"("dtype": "fp32", )"), "/sweeps/0/dtype: expected one of f32, f16, bf16, found \"fp32\""},
      {sweep(R"("contract": 1, )"), "/sweeps/0/contract: expected one of cold, warm, graph, found 1"},
      {sweep(R"("seed": -1, )"), "/sweeps/0/seed: expected an integer from 0 to 18446744073709551615, found -1"},
      {sweep(R"("seed": 1.5, )"), "found 1.5"},
      {sweep(R"("accuracy_rows": 0, )"), "/sweeps/0/accuracy_rows: expected an integer from 1 to"},
      {sweep(R"("sampling": {"ci_width": 0}, )"),
       "/sweeps/0/sampling/ci_width: expected a number above 0 and at most 1, found 0"},
      {sweep(R"("sampling": {"max_seconds": "5"}, )"), "/sweeps/0/sampling/max_seconds: expected a number above 0"},
      {sweep(R"("sampling": {"max_samples": 3000000000}, )"), "max_samples: expected an integer from 1 to 2147483647"},
      {sweep(R"("sampling": {"min_samples": 9, "max_samples": 3}, )"),
       "/sweeps/0/sampling: expected min_samples <= max_samples, found 9 and 3"},
      {sweep(R"("sampling": 3, )"),
       "/sweeps/0/sampling: expected an object of processes, ci_width, min_samples, max_samples, max_seconds, "
       "timeout_seconds, "
       "found 3"},
      {sweep("", R"("kv_len": 64, "cache_page": 24)"),
       "/sweeps/0/shape: cache_page must be 0 (contiguous) or a power of two, found 24"},
      {sweep("", R"("kv_len": 64, "cache_page": -1)"), "/sweeps/0/shape/cache_page: expected an integer from 0"},
      {sweep("", R"("kv_len": 1048576, "batch": 65536, "cache_page": 16)"),
       "cache_page must leave fewer than 2^31 pages (their numbers are 32 bits wide), found 65536 × 65536"},
      {sweep("", R"("kv_len": 64, "cache_page": 4611686018427387904)"), "needs more than 2^62 bytes"},
      {sweep("", R"("kv_len": 64, "history": 64)"),
       "/sweeps/0/shape: history must be between 0 and kv_len − q_len = 63, found 64"},
      {sweep("", R"("kv_len": 64, "causal": 1)"), "/sweeps/0/shape/causal: expected true or false, found 1"},
      {sweep("", R"("kv_len": 0)"),
       "/sweeps/0/shape/kv_len: expected an integer from 1 to 9223372036854775807, found 0"},
      {sweep("", R"("kv_len": "long")"), "found \"long\""},
      {sweep("", R"("kv_len": null)"), "found null"},
      {sweep("", R"("kv_len": {"from": 1})"),
       R"(/sweeps/0/shape/kv_len/from: expected a value, a list, {"range": [first, last, step]} or {"pow2": [first, last]}, found an object)"},
      {sweep("", R"("kv_len": {})"), "/sweeps/0/shape/kv_len: expected a value, found none"},
      {sweep("", R"("kv_len": [])"), "/sweeps/0/shape/kv_len: expected at least one value, found []"},
      {sweep("", R"("kv_len": [1, [2]])"), "/sweeps/0/shape/kv_len/1: expected a value, found a list within a list"},
      {sweep("", R"("kv_len": {"pow2": [5, 3]})"),
       "/sweeps/0/shape/kv_len/pow2: expected exponents [first, last] with 0 <= first <= last <= 62, found [5,3]"},
      {sweep("", R"("kv_len": {"pow2": [5, 63]})"), "found [5,63]"},
      {sweep("", R"("kv_len": {"pow2": 5})"), "found 5"},
      {sweep("", R"("kv_len": {"range": [1, 5]})"),
       "/sweeps/0/shape/kv_len/range: expected [first, last, step], found [1,5]"},
      {sweep("", R"("kv_len": {"range": [1, 1e300, 1]})"), "expected [first, last, step]"},
      {sweep("", R"("kv_len": {"range": [1, 5, -1]})"),
       "expected a step that leads from first to last, found [1,5,-1]"},
      {sweep("", R"("kv_len": {"range": [1, 5, 0]})"), "expected a step that leads from first to last, found [1,5,0]"},
      {sweep("", R"("kv_len": {"range": [1, 9000000000, 1]})"), "expected at most 100000 points, found 9000000000"},
      {sweep(R"("seed": {"range": [1, 1000, 1]}, )", R"("kv_len": {"range": [1, 1000, 1]})"),
       "/sweeps/0: expected at most 100000 points, found 1000000"},
      {sweep("", R"("zip": {"q_len": [1, 2], "kv_len": [1, 2, 3]})"),
       "/sweeps/0/shape/zip/kv_len: expected 2 values as in the zip's first axis, found 3"},
      {sweep("", R"("zip": [], "kv_len": 3)"), "/sweeps/0/shape/zip: expected an object of axes, found []"},
      {sweep("", R"("zip": {"kv_len": [1]}, "kv_len": 3)"),
       "/sweeps/0/shape/kv_len: expected once, found beside the zip and in it"},
      {sweep("", R"("zip": {"kvlen": [1]})"), "/sweeps/0/shape/zip/kvlen: unknown key; did you mean 'kv_len'?"},
      {sweep("", R"("q_len": 1)"), "/sweeps/0/shape/kv_len: expected a value, found none"},
      {sweep("", R"("kv_len": 64)", R"([{"params": {}}])"), "/sweeps/0/methods/name: expected a value, found none"},
      {sweep("", R"("kv_len": 64)", R"([{"name": ""}])"), "/sweeps/0/methods/0/name: expected a name, found \"\""},
      {sweep("", R"("kv_len": 64)", R"(["dense"])"),
       "/sweeps/0/methods/0: expected an object of name, backend, params, found \"dense\""},
      {sweep("", R"("kv_len": 64)", R"([{"name": "a", "params": {"k": null}}])"),
       "/sweeps/0/methods/0/params/k: expected a value, found null"},
      {sweep("", R"("kv_len": 64)", R"([{"name": "a", "params": {"k": {"x": 1}}}])"),
       "/sweeps/0/methods/0/params/k/x: expected a value, a list"},
      {sweep("", R"("kv_len": 64, "q_len": 65)"),
       "c.json: /sweeps/0/shape: kv_len must be at least q_len when causal, found 64 and 65"},
      {sweep("", R"("kv_len": 64, "batch": 4611686018427387904)"), "c.json: /sweeps/0/shape: tensor q"},
      {sweep("", R"("kv_len": 2147483648)"), "kv_len must be below 2^31"},
      {R"({"sweeps": [{"workload": {"name": "file"}, "methods": [{"name": "a"}]}]})",
       "/sweeps/0/workload/params/path: expected a value, found none"},
      {R"({"sweeps": [{"workload": {"name": "lm"}, "methods": [{"name": "a"}]}]})",
       "/sweeps/0/workload/name: expected one of file, "},
      {R"({"sweeps": [{"workload": {"name": "lm"}, "methods": [{"name": "a"}]}]})",
       "(did you mean 'llm'?), found \"lm\""},
  };
  for (const auto& [text, message] : cases)
    EXPECT_THAT(error_of(text), AllOf(StartsWith("c.json: "), HasSubstr(message))) << text;
}

TEST(Config, AMethodsBackendGoesBeforeItsSweeps) {
  const std::string methods = R"([{"name": "a", "backend": ["cuda", "cudnn"]}, {"name": "b"}])";
  const RunConfig run = parse_config(sweep(R"("backend": ["cpu", "cuda"], )", R"("kv_len": 64)", methods), "c.json");
  std::vector<std::pair<std::string, Backend>> points;
  for (const PointSpec& point : run.points) points.emplace_back(point.method, point.backend);
  EXPECT_THAT(points, UnorderedElementsAre(std::pair("a", Backend::cuda), std::pair("a", Backend::cudnn),
                                           std::pair("b", Backend::cpu), std::pair("b", Backend::cuda)));
}

TEST(ConfigErrors, HeadsThatDoNotGroupAreRefused) {
  std::string text = sweep("");
  text.replace(text.find("\"q_heads\": 4"), 12, "\"q_heads\": 5");
  EXPECT_EQ(error_of(text), "c.json: /sweeps/0/shape: q_heads must be a multiple of kv_heads, found 5 and 2");
}

TEST(Config, MissingFileIsNamed) {
  try {
    load_config("none.json");
    FAIL() << "no InputError";
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(), "none.json: cannot open for reading: No such file or directory");
  }
}

TEST(Contract, NamesAreTheirOwnInverse) {
  for (const Contract contract : {Contract::cold, Contract::warm, Contract::graph})
    EXPECT_EQ(parse_contract(to_string(contract)), contract);
  EXPECT_THROW(parse_contract("hot"), InputError);
}

}  // namespace
}  // namespace attnscope
