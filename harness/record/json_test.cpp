// SPDX-License-Identifier: Apache-2.0
#include "harness/record/json.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "harness/base/error.hpp"
#include "harness/record/schema.hpp"
#include "harness/record/testing.hpp"

namespace attnscope::record {
namespace {

using nlohmann::json;

TEST(Json, ARecordSurvivesTheRoundTrip) {
  const Record record = testing::record();
  EXPECT_EQ(record_from_json(json::parse(to_json(record).dump())), record);
}

TEST(Json, HeadsWithoutSampledRowsAreNull) {
  Point point = testing::point("quest", 64, 0.5, 100);
  point.accuracy.mass_by_head = {0.75, std::nullopt};
  point.accuracy.key_sets["candidates"] = {.mass_mean = 0.875, .mass_by_head = {0.875, std::nullopt}};
  const json written = to_json(point);
  EXPECT_EQ(written["accuracy"]["mass_by_head"], json::parse("[0.75, null]"));
  EXPECT_EQ(written["accuracy"]["key_sets"],
            json::parse(R"({"candidates": {"mass_mean": 0.875, "mass_by_head": [0.875, null]}})"));
  EXPECT_EQ(point_schema_violation(written), std::nullopt);
  EXPECT_EQ(point_from_json(written), point);
}

TEST(Json, ARecordFitsItsSchema) { EXPECT_EQ(schema_violation(to_json(testing::record())), std::nullopt); }

TEST(Json, OnlyTimedPointsAreGoogleBenchmarkRows) {
  const json document = to_json(testing::record());
  EXPECT_EQ(document["attnscope"]["points"].size(), 13u);
  ASSERT_EQ(document["benchmarks"].size(), 12u);
  for (const json& row : document["benchmarks"]) {
    EXPECT_GT(row.at("real_time").get<double>(), 0);
    EXPECT_EQ(row.at("time_unit"), "ns");
    EXPECT_EQ(row.at("run_type"), "iteration");
    EXPECT_EQ(row.at("iterations"), 21);
  }
}

TEST(Json, CachesAreThereEvenWhenTheEnvironmentHasNone) {
  Record record = testing::record();
  record.context.erase("caches");
  EXPECT_TRUE(to_json(record)["context"]["caches"].is_array());
}

TEST(Json, NonFiniteNumbersBecomeNull) {
  Point point = testing::point("dense", 64, 1.0, 100);
  point.accuracy.rel_l2 = std::numeric_limits<double>::quiet_NaN();
  point.accuracy.max_abs = std::numeric_limits<double>::infinity();
  point.counters["dram_read"] = std::numeric_limits<double>::quiet_NaN();
  const json written = to_json(point);
  EXPECT_TRUE(written["accuracy"]["rel_l2"].is_null());
  EXPECT_TRUE(written["accuracy"]["max_abs"].is_null());
  EXPECT_TRUE(written["counters"]["dram_read"].is_null());
  const Point read = point_from_json(written);
  EXPECT_EQ(read.accuracy.rel_l2, std::nullopt);
  EXPECT_TRUE(read.counters.empty());
}

TEST(Json, AnUntimedPointKeepsItsContract) {
  const Record record = testing::record();
  const Point read = point_from_json(to_json(record.points.back()));
  EXPECT_EQ(read.contract, "warm");
  EXPECT_EQ(read.time, std::nullopt);
}

// One damaged copy of a good record per rule of the schema that the type system does not enforce.
struct Damage {
  const char* pointer;
  json value;
};

class Schema : public ::testing::TestWithParam<Damage> {};

TEST_P(Schema, RefusesAndNamesThePlace) {
  json document = to_json(testing::record());
  const json::json_pointer pointer(GetParam().pointer);
  document[pointer] = GetParam().value;
  const auto violation = schema_violation(document);
  ASSERT_TRUE(violation);
  EXPECT_NE(violation->find("/"), std::string::npos) << *violation;
}

INSTANTIATE_TEST_SUITE_P(
    Rules, Schema,
    ::testing::Values(Damage{"/attnscope/points/0/surprise", 1}, Damage{"/attnscope/points/0/shape/kv_len", 0},
                      Damage{"/attnscope/points/0/shape/dtype", "f64"}, Damage{"/attnscope/points/0/status", "fine"},
                      Damage{"/attnscope/points/0/flops/useful", nullptr},
                      Damage{"/attnscope/points/0/status", "wrong"},  // a wrong kernel has no speed
                      Damage{"/attnscope/points/12/reason", ""},      // a failure has a reason
                      Damage{"/attnscope/points/0/time/samples_ns", json::array()},
                      Damage{"/attnscope/points/0/time/process_samples", {20}},
                      Damage{"/attnscope/points/0/time/process_samples", {20, 2}},
                      Damage{"/attnscope/points/0/time/process_others", {0.5, 0.5}},
                      Damage{"/attnscope/points/0/shape/cache_page", -1},
                      Damage{"/attnscope/points/0/accuracy/mass_by_head/0", "half"},
                      Damage{"/attnscope/points/0/accuracy/key_sets/candidates", 0.5},
                      Damage{"/attnscope/schema_version", 3}, Damage{"/attnscope/points/0/time/contract", "hot"},
                      Damage{"/benchmarks/0/real_time", "fast"}, Damage{"/context/caches", nullptr}));

TEST(Key, HoldsWhatWasAskedForAndNothingMeasured) {
  Point point = testing::point("quest", 65536, 0.0625, 1e6);
  EXPECT_EQ(key(point), "quest/cpu/decode/llm/seed:1/B1/Hq8/Hkv2/D128/Nq1/N65536/bf16/causal/budget:4096/warm");
  const std::string before = key(point);
  point.time.reset();
  point.status = Status::crashed;
  point.workload.hash = "other";
  EXPECT_EQ(key(point), before);
}

TEST(Key, NamesPagedCachesAndEarlierQueriesOnlyWhereThereAreSome) {
  Point point = testing::point("quest", 65536, 0.0625, 1e6);
  point.shape.cache_page = 16;
  point.shape.history = 64;
  EXPECT_EQ(key(point),
            "quest/cpu/decode/llm/seed:1/B1/Hq8/Hkv2/D128/Nq1/N65536/cache_page:16/history:64/bf16/causal/budget:4096/"
            "warm");
}

TEST(Words, ParseBackAndRefuseOthers) {
  for (const Status status :
       {Status::ok, Status::skipped, Status::wrong, Status::oom, Status::timeout, Status::crashed})
    EXPECT_EQ(parse_status(to_string(status)), status);
  EXPECT_EQ(parse_tier("T2"), Tier::t2);
  EXPECT_THROW(parse_tier("T9"), InputError);
}

}  // namespace
}  // namespace attnscope::record
