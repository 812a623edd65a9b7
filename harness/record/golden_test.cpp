// SPDX-License-Identifier: Apache-2.0
// Golden records: one per schema version, readable for ever. The current version's full.json has every member of every
// type set, so a member added, renamed or dropped without a new version and a new golden file fails here.
#include <gtest/gtest.h>

#include <filesystem>

#include "harness/base/text_file.hpp"
#include "harness/record/file.hpp"
#include "harness/record/json.hpp"
#include "harness/record/schema.hpp"

namespace attnscope::record {
namespace {

const std::string kFolder = ATTNSCOPE_SOURCE_DIR "/tests/record/golden/";
const std::string kCurrent = kFolder + "v" + std::to_string(kSchemaVersion) + "_";

TEST(Golden, EveryVersionIsStillReadable) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    EXPECT_NO_THROW(read_record(entry.path())) << entry.path();
    ++files;
  }
  EXPECT_GE(files, 2 * kSchemaVersion);
}

TEST(Golden, TheCurrentVersionIsWrittenAsItWasRead) {
  for (const char* name : {"full.json", "failures.json"}) {
    const std::string path = kCurrent + name;
    const auto document = nlohmann::json::parse(read_text(path));
    EXPECT_EQ(schema_violation(document), std::nullopt) << path;
    EXPECT_EQ(to_json(read_record(path)), document) << path;
  }
}

void expect_all_set(const nlohmann::json& value, const std::string& where) {
  EXPECT_FALSE(value.is_null()) << where << " is null";
  EXPECT_FALSE((value.is_array() || value.is_object()) && value.empty()) << where << " is empty";
  if (value.is_object())
    for (const auto& [name, element] : value.items()) expect_all_set(element, where + "/" + name);
  if (value.is_array())
    for (const auto& element : value) expect_all_set(element, where + "/*");
}

TEST(Golden, VersionOneHasContiguousCachesAndNoMassByHead) {
  const Point point = read_record(kFolder + "v1_full.json").points.at(0);
  EXPECT_EQ(point.shape.cache_page, 0);
  EXPECT_EQ(point.shape.history, 0);
  EXPECT_TRUE(point.accuracy.mass_by_head.empty());
  EXPECT_TRUE(point.accuracy.key_sets.empty());
}

TEST(Golden, TheFullRecordLeavesNoMemberOut) {
  expect_all_set(nlohmann::json::parse(read_text(kCurrent + "full.json")).at("attnscope"), "attnscope");
}

}  // namespace
}  // namespace attnscope::record
