// SPDX-License-Identifier: Apache-2.0
#include "harness/record/file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "harness/base/error.hpp"
#include "harness/record/journal.hpp"
#include "harness/record/json.hpp"
#include "harness/record/testing.hpp"

namespace attnscope::record {
namespace {

using ::testing::HasSubstr;

class RecordFile : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        std::filesystem::path(::testing::TempDir()) / ::testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    path_ = folder_ / "record.json";
  }

  // The message of the InputError that reading `text` raises.
  std::string complaint(const std::string& text) const {
    try {
      parse_record(text, "r.json");
    } catch (const InputError& error) {
      return error.what();
    }
    return "read without complaint";
  }

  std::filesystem::path folder_;
  std::string path_;
};

TEST_F(RecordFile, WriteReadEqual) {
  write_record(path_, testing::record());
  EXPECT_EQ(read_record(path_), testing::record());
}

TEST_F(RecordFile, NothingButTheRecordIsLeftInTheFolder) {
  write_record(path_, testing::record());
  write_record(path_, testing::record());
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

TEST_F(RecordFile, ARecordThatDoesNotFitLeavesTheOldOne) {
  write_record(path_, testing::record());
  Record bad = testing::record();
  bad.points[0].status = Status::wrong;
  EXPECT_THROW(write_record(path_, bad), Error);
  EXPECT_EQ(read_record(path_), testing::record());
}

TEST_F(RecordFile, AnUnwritablePlaceIsBadInput) {
  EXPECT_THROW(write_record(folder_ / "no" / "such" / "folder.json", testing::record()), InputError);
  EXPECT_THROW(read_record(folder_ / "absent.json"), InputError);
  EXPECT_THROW(read_record(folder_), InputError);
}

TEST_F(RecordFile, ComplaintsNameTheFileAndTheFault) {
  const std::string good = record_text(testing::record());
  EXPECT_THAT(complaint(""), HasSubstr("r.json: parse error"));
  EXPECT_THAT(complaint(good.substr(0, good.size() / 2)), HasSubstr("r.json: parse error"));
  EXPECT_THAT(complaint("[1, 2]"), HasSubstr("expected an attnscope record"));
  EXPECT_THAT(complaint(R"({"context": {}, "benchmarks": []})"), HasSubstr("expected an attnscope record"));
  EXPECT_THAT(complaint(R"({"attnscope": {"schema_version": 99}})"), HasSubstr("expected at most 2, found 99"));
  EXPECT_THAT(complaint(R"({"attnscope": {"schema_version": 1, "points": [1e999]}})"), HasSubstr("range of double"));
  EXPECT_THAT(complaint(R"({"attnscope": {}, "attnscope": {}})"), HasSubstr("occurs twice"));
  EXPECT_THAT(complaint(std::string(100, '[') + std::string(100, ']')), HasSubstr("nested deeper"));
  nlohmann::json document = nlohmann::json::parse(good);
  document["attnscope"]["points"][3]["shape"]["kv_len"] = "long";
  EXPECT_THAT(complaint(document.dump()), HasSubstr("r.json: /attnscope/points/3/shape/kv_len: "));
}

TEST_F(RecordFile, BytesThatAreNotUtf8AreReplaced) {
  Record record = testing::record();
  record.points.back().reason = "died: \xff";
  write_record(path_, record);
  EXPECT_EQ(read_record(path_).points.back().reason, "died: \uFFFD");
  append_point(path_ + ".journal", record.points.back());
  EXPECT_EQ(read_journal(path_ + ".journal")[0].reason, "died: \uFFFD");
}

TEST_F(RecordFile, TheJournalGivesBackItsPoints) {
  EXPECT_TRUE(read_journal(path_).empty());
  const Record record = testing::record();
  for (const Point& point : record.points) append_point(path_, point);
  EXPECT_EQ(read_journal(path_), record.points);
}

TEST_F(RecordFile, AHalfWrittenLastLineIsIgnoredThenReplaced) {
  const Record record = testing::record();
  append_point(path_, record.points[0]);
  append_point(path_, record.points[1]);
  std::filesystem::resize_file(path_, std::filesystem::file_size(path_) - 20);
  EXPECT_EQ(read_journal(path_), std::vector{record.points[0]});
  append_point(path_, record.points[2]);
  EXPECT_EQ(read_journal(path_), (std::vector{record.points[0], record.points[2]}));
}

TEST_F(RecordFile, DamageInsideTheJournalNamesTheLine) {
  append_point(path_, testing::record().points[0]);
  std::ofstream(path_, std::ios::app) << "{\"method\": 3}\n";
  try {
    read_journal(path_);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("record.json:2: "));
  }
}

TEST_F(RecordFile, APointThatDoesNotFitIsNotJournalled) {
  Point point = testing::record().points[0];
  point.status = Status::wrong;
  EXPECT_THROW(append_point(path_, point), Error);
  EXPECT_TRUE(read_journal(path_).empty());
}

}  // namespace
}  // namespace attnscope::record
