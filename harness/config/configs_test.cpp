// SPDX-License-Identifier: Apache-2.0
// The configs of the repository: all of them load, and the schema says what the reader accepts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "harness/config/config.hpp"
#include "harness/config/fields.hpp"

namespace attnscope {
namespace {

const std::filesystem::path kConfigs = std::filesystem::path(ATTNSCOPE_SOURCE_DIR) / "configs";

TEST(Configs, AllLoadAndNameThemselvesAfterTheirFile) {
  int found = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kConfigs)) {
    if (entry.path().extension() != ".json" || entry.path().filename() == "run.schema.json") continue;
    const RunConfig run = load_config(entry.path());
    EXPECT_FALSE(run.points.empty()) << entry.path();
    // A paper's configs are files named after rooms: alone that would say too little.
    const bool paper = entry.path().parent_path().filename() == "paper";
    EXPECT_EQ(run.name, (paper ? "paper_" : "") + entry.path().stem().string()) << entry.path();
    EXPECT_FALSE(run.description.empty()) << entry.path();
    ++found;
  }
  EXPECT_GE(found, 6);
}

TEST(Configs, QuickstartCoversFiveMethodsAndBothPhases) {
  std::set<std::string> methods;
  std::int64_t longest_prefill = 0;
  std::int64_t longest_decode = 0;
  for (const PointSpec& point : load_config(kConfigs / "quickstart.json").points) {
    methods.insert(point.method);
    (point.phase == Phase::prefill ? longest_prefill : longest_decode) = point.shape.kv_len;
    EXPECT_EQ(point.backend, Backend::cpu);
  }
  EXPECT_GE(methods.size(), 5u);
  EXPECT_EQ(longest_prefill, 16384);
  EXPECT_EQ(longest_decode, 1 << 20);
}

// The names in the schema's object at `schema` are those that the reader knows at `key`, and its zip.
void expect_same_names(const nlohmann::json& schema, const std::string& key) {
  std::vector<std::string> names;
  for (const auto& [name, unused] : schema["properties"].items())
    if (name != "zip") names.push_back(name);
  EXPECT_THAT(config::names_under(key), testing::UnorderedElementsAreArray(names)) << key;
}

TEST(Configs, SchemaAndReaderKnowTheSameKeys) {
  std::ifstream file(kConfigs / "run.schema.json");
  const nlohmann::json definitions = nlohmann::json::parse(file)["$defs"];
  const nlohmann::json& sweep = definitions["sweep"];
  expect_same_names(sweep, "");
  expect_same_names(sweep["properties"]["shape"], "shape");
  expect_same_names(sweep["properties"]["sampling"], "sampling");
  expect_same_names(definitions["method"]["anyOf"][0], "methods");
  expect_same_names(definitions["workload"]["anyOf"][0], "workload");
}

}  // namespace
}  // namespace attnscope
